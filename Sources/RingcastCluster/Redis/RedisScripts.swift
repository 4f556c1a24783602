/// What Redis does for histories. Of a topic there are two keys: `state`, a hash with its numbering, and `stream`,
/// whose entries have ids of a message's number and its time, OFFSET-MILLISECONDS. Of a node there is one, `node`: the
/// number of the last message that it has appended, by which one that is sent again is known.
///
/// A numbering is of one process of Redis, which nodes tell by its `run_id`: a process that starts may have lost what
/// another one had, so a topic goes on under a fresh epoch, and remembers where the earlier ones had come to. Epochs
/// are drawn by nodes. Numbers are written out, since Lua would write large ones with an exponent.
enum RedisScripts {
    private static let common = """
        local function text(number) return string.format('%.0f', number) end
        local function now()
          local time = redis.call('TIME')
          return tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
        end
        local function numbering(state, run, fresh)
          local known = redis.call('HMGET', state, 'epoch', 'run', 'last', 'earlier')
          if not known[1] then return nil end
          local epoch, last, earlier = known[1], tonumber(known[3]), known[4] or ''
          if known[2] ~= run then
            local line, count = '', 0
            for place in string.gmatch(epoch .. '.' .. text(last) .. ' ' .. earlier, '%S+') do
              if count < 16 then line = line .. place .. ' ' end
              count = count + 1
            end
            epoch, earlier = fresh, line
            redis.call('HSET', state, 'epoch', epoch, 'run', run, 'earlier', earlier)
          end
          return epoch, last, earlier
        end

        """

    /// KEYS: state, stream, node. ARGV: run, fresh epoch, the message's number of its node, message, bounds of messages
    /// and bytes, milliseconds that the stream is kept, 1 to retain, channel.
    static let append =
        common + """
            if tonumber(redis.call('GET', KEYS[3]) or '0') >= tonumber(ARGV[3]) then return 'again' end
            local epoch, last = numbering(KEYS[1], ARGV[1], ARGV[2])
            if not epoch then
              redis.call('DEL', KEYS[2])
              epoch, last = ARGV[2], 0
              redis.call('HSET', KEYS[1], 'epoch', epoch, 'run', ARGV[1])
            end
            local offset = text(last + 1)
            redis.call('XADD', KEYS[2], offset .. '-' .. text(now()), 'm', ARGV[4])
            local count, bytes = redis.call('XLEN', KEYS[2]), #ARGV[4]
            if count > 1 then bytes = bytes + tonumber(redis.call('HGET', KEYS[1], 'bytes') or '0') end
            while count > 0 and (count > tonumber(ARGV[5]) or bytes > tonumber(ARGV[6])) do
              local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
              redis.call('XDEL', KEYS[2], oldest[1])
              count, bytes = count - 1, bytes - #oldest[2][2]
            end
            redis.call('HSET', KEYS[1], 'last', offset, 'bytes', text(bytes))
            if ARGV[8] == '1' then redis.call('HSET', KEYS[1], 'retained', ARGV[4], 'retainedOffset', offset) end
            redis.call('PEXPIRE', KEYS[2], ARGV[7])
            redis.call('PEXPIRE', KEYS[1], text(tonumber(ARGV[7]) + 86400000))
            redis.call('SET', KEYS[3], ARGV[3], 'PX', 3600000)
            redis.call('PUBLISH', ARGV[9], 'h' .. epoch .. '.' .. offset .. ' ' .. ARGV[4])
            return offset
            """

    /// KEYS: state, stream. ARGV: run, fresh epoch, the position's epoch or nothing, its offset, bounds of a page.
    ///
    /// Answers with epoch, last and first offset, earlier positions, the retained message and its offset, and of each
    /// message its offset, its age in milliseconds, and itself.
    static let read =
        common + """
            local epoch, last, earlier = numbering(KEYS[1], ARGV[1], ARGV[2])
            if not epoch then return {'0', '0', '1', '', '', ''} end
            local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
            local first = oldest and string.match(oldest[1], '^%d+') or text(last + 1)
            local page = {epoch, text(last), first, earlier, '', ''}
            if ARGV[3] == '' then
              local retained = redis.call('HMGET', KEYS[1], 'retained', 'retainedOffset')
              page[5], page[6] = retained[1] or '', retained[2] or ''
              return page
            end
            local offset = 0
            if ARGV[3] == epoch then offset = tonumber(ARGV[4]) end
            for name, ended in string.gmatch(earlier, '(%d+)%.(%d+)') do
              if name == ARGV[3] then offset = math.min(tonumber(ARGV[4]), tonumber(ended)) end
            end
            local time, bytes = now(), 0
            for _, row in ipairs(redis.call('XRANGE', KEYS[2], text(offset + 1), '+', 'COUNT', ARGV[5])) do
              bytes = bytes + #row[2][2]
              if #page > 6 and bytes > tonumber(ARGV[6]) then break end
              local number, added = string.match(row[1], '^(%d+)%-(%d+)$')
              page[#page + 1], page[#page + 2] = number, text(math.max(0, time - tonumber(added)))
              page[#page + 1] = row[2][2]
            end
            return page
            """
}
