/// The page that `ringcast serve` answers `/` with: a chat room in the browser, one file, nothing loaded from
/// elsewhere.
///
/// It speaks the protocol of `/room` (`RoomGuest`), of rooms that remember and of those that do not.
/// `Scripts/browser-test` drives it by its element ids.
enum ChatPage {
    static let html = #"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content">
        <meta name="color-scheme" content="light dark">
        <title>Ringcast chat</title>
        <link rel="icon" href="data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'>
        <circle cx='8' cy='8' r='5.5' fill='none' stroke='%23e5562b' stroke-width='3'/></svg>">
        <style>
        :root {
            --page: #f6f4f1; --card: #fff; --ink: #22201d; --faint: #6f6a63; --line: #e2ddd6;
            --accent: #c8441b; --on-accent: #fff; --said: #f2efeb; --own: #fbe6dc;
            --good: #2b8a4b; --bad: #b45309; --tone: 33%;
        }
        @media (prefers-color-scheme: dark) {
            :root {
                --page: #171614; --card: #211f1d; --ink: #ece8e2; --faint: #a19a91; --line: #35322e;
                --accent: #f0703f; --on-accent: #1a100b; --said: #2e2b28; --own: #4a2c1e;
                --good: #5cc983; --bad: #f0b35a; --tone: 74%;
            }
        }
        * { box-sizing: border-box; }
        [hidden] { display: none !important; }
        body {
            margin: 0; height: 100dvh; background: var(--page); color: var(--ink);
            font: 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
        }
        .app { max-width: 44rem; height: 100%; margin: 0 auto; display: flex; flex-direction: column; }
        header { display: flex; align-items: center; gap: .6rem; padding: .8rem 1rem; }
        h1 { font-size: 1.05rem; margin: 0; flex: 1; display: flex; align-items: center; gap: .5rem; }
        h1::before { content: ""; width: .9rem; height: .9rem; border: .24rem solid var(--accent); border-radius: 50%; }
        #people {
            color: var(--faint); font-size: .85rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap;
        }
        #status { display: flex; align-items: center; gap: .45rem; color: var(--faint); font-size: .85rem; }
        #status::before { content: ""; width: .55rem; height: .55rem; border-radius: 50%; background: var(--faint); }
        #status[data-state=online]::before { background: var(--good); }
        #status[data-state=waiting]::before { background: var(--bad); animation: pulse 1s infinite alternate; }
        @keyframes pulse { to { opacity: .25; } }
        @media (prefers-reduced-motion: reduce) { #status::before { animation: none !important; } }
        #log {
            flex: 1; min-height: 0; overflow-y: auto; margin: 0; padding: 1rem; list-style: none;
            background: var(--card);
            border: solid var(--line); border-width: 1px 0; display: flex; flex-direction: column; gap: .35rem;
            scrollbar-width: thin; scrollbar-color: var(--line) transparent;
        }
        #log li:first-child { margin-top: auto; }
        .said {
            position: relative; max-width: 85%; align-self: flex-start; padding: .4rem .75rem; border-radius: 1rem;
            background: var(--said); overflow-wrap: anywhere; white-space: pre-wrap;
        }
        .said b { display: block; font-size: .8rem; color: hsl(var(--hue) 60% var(--tone)); }
        .said.more { margin-top: -.15rem; }
        .said.more b, .own b { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
        .own { align-self: flex-end; background: var(--own); }
        .notice {
            align-self: center; color: var(--faint); font-size: .85rem; padding: .15rem .5rem; text-align: center;
        }
        form { display: flex; gap: .5rem; padding: .75rem 1rem max(.75rem, env(safe-area-inset-bottom)); }
        input {
            flex: 1; min-width: 0; font: inherit; color: inherit; background: var(--card);
            padding: .6rem .9rem; border: 1px solid var(--line); border-radius: .8rem;
        }
        button {
            font: inherit; font-weight: 600; color: var(--on-accent); background: var(--accent); cursor: pointer;
            border: 0; border-radius: .8rem; padding: .6rem 1.1rem;
        }
        button:disabled { opacity: .45; cursor: default; }
        :focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
        input:focus-visible { outline-offset: -1px; }
        #leave { color: var(--faint); background: none; padding: .2rem .4rem; font-weight: 400; font-size: .85rem; }
        #door {
            margin: auto; width: min(26rem, calc(100% - 2rem)); padding: 1.6rem;
            background: var(--card); border: 1px solid var(--line); border-radius: 1.2rem;
        }
        #door input { background: var(--page); }
        #door h2 { margin: 0 0 .3rem; font-size: 1.4rem; }
        #door p { margin: 0 0 1.2rem; color: var(--faint); }
        #door form { padding: 0; margin-top: .3rem; }
        .quiet { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
        </style>
        </head>
        <body>
        <div class="app">
            <header>
                <h1>Ringcast chat</h1>
                <div id="people" aria-live="off"></div>
                <div id="status" role="status" data-state="offline">not connected</div>
                <button id="leave" type="button" hidden>Leave</button>
            </header>
            <main id="door">
                <h2>Come in</h2>
                <p>Everyone with this page open shares one room.</p>
                <form id="door-form">
                    <label class="quiet" for="name">Your name</label>
                    <input id="name" name="name" placeholder="Your name" maxlength="24" autocomplete="nickname"
                        required>
                    <button id="join">Join</button>
                </form>
            </main>
            <ol id="log" role="log" aria-label="Messages" tabindex="0" hidden></ol>
            <form id="say" hidden>
                <label class="quiet" for="text">Message</label>
                <input id="text" placeholder="Say something" maxlength="2000" autocomplete="off" enterkeyhint="send">
                <button id="send" disabled>Send</button>
            </form>
        </div>
        <script>
        "use strict";
        const element = id => document.getElementById(id);
        const [log, text, send, state] = ["log", "text", "send", "status"].map(element);
        let me = "", socket = null, attempts = 0, timer = 0, lastSpeaker = null;
        // Of a room that remembers: who is here, and the position of the last line that came.
        let here = null, position = "";

        // Storage may be forbidden; the page works without it.
        const remembered = () => { try { return localStorage.getItem("name") ?? ""; } catch { return ""; } };
        const remember = name => { try { localStorage.setItem("name", name); } catch { } };
        // A name may not look like an announcement, and the first colon of a line ends it.
        const tidy = name => name.replace(/[:*\p{C}]+/gu, " ").trim().slice(0, 24);
        const hue = name => [...name].reduce((sum, c) => (sum * 31 + c.codePointAt(0)) % 360, 7);

        function show(status, words) {
            state.dataset.state = status;
            state.textContent = words;
            send.disabled = status !== "online";
        }

        function append(item) {
            const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < 60;
            log.append(item);
            while (log.childElementCount > 500) log.firstElementChild.remove();
            if (atEnd || item.classList.contains("own")) log.scrollTop = log.scrollHeight;
        }

        function notice(words) {
            const item = document.createElement("li");
            item.className = "notice";
            item.textContent = words;
            lastSpeaker = null;
            append(item);
        }

        // Peers' words are only ever set as text, never as HTML.
        function said(name, words, own) {
            const item = document.createElement("li");
            const speaker = document.createElement("b");
            item.className = own ? "said own" : "said";
            if (lastSpeaker === name) item.classList.add("more");
            lastSpeaker = name;
            speaker.textContent = own ? "You" : name;
            speaker.style.setProperty("--hue", hue(name));
            item.append(speaker, words);
            append(item);
        }

        function showPeople() {
            element("people").textContent = here ? `${here.size} here: ${[...here].join(", ")}` : "";
            element("people").title = here ? [...here].join(", ") : "";
        }

        function heard(text) {
            if (text === "= gap") return notice("some messages are gone");
            if (text.startsWith("= ")) {
                here = new Set(text.slice(2).split(", "));
                return showPeople();
            }
            const [, line, stamp] = /^([^]*?)(?:\t(\d+\.\d+))?$/.exec(text);
            if (stamp) position = stamp;
            const announcement = /^\* ([^:]+) (joined|left)$/.exec(line);
            if (announcement) {
                const [, name, change] = announcement;
                if (here) { change === "joined" ? here.add(name) : here.delete(name); showPeople(); }
                if (name !== me || !stamp) notice(`${name} ${change}`);
                return;
            }
            const colon = line.indexOf(": ");
            if (colon < 0) return notice(line);
            const name = line.slice(0, colon);
            said(name, line.slice(colon + 2), Boolean(stamp) && name === me);
        }

        function connect() {
            clearTimeout(timer);
            timer = 0;
            const secure = location.protocol === "https:";
            const query = `name=${encodeURIComponent(me)}&after=${position || "0.0"}`;
            const ws = new WebSocket(`${secure ? "wss" : "ws"}://${location.host}/room?${query}`);
            socket = ws;
            if (attempts === 0) show("waiting", "connecting…");
            ws.onopen = () => {
                show("online", "connected");
                notice(attempts ? "connected again" : `you joined as ${me}`);
                attempts = 0;
            };
            ws.onmessage = event => heard(String(event.data));
            ws.onclose = () => {
                if (ws !== socket) return;
                if (attempts === 0) notice("connection lost");
                show("waiting", "reconnecting…");
                // Exponential back-off with full jitter, so that a restarted server is not met by everyone at once.
                const ceiling = Math.min(500 * 2 ** attempts++, 15000);
                timer = setTimeout(connect, 100 + Math.random() * ceiling);
            };
        }

        function enter(name) {
            me = tidy(name);
            if (!me) return element("name").focus();
            remember(me);
            element("door").hidden = true;
            for (const id of ["log", "say", "leave"]) element(id).hidden = false;
            text.focus();
            connect();
        }

        function leave() {
            clearTimeout(timer);
            const ws = socket;
            [socket, attempts, timer, here, position] = [null, 0, 0, null, ""];
            showPeople();
            ws?.close(1000, "left");
            log.replaceChildren();
            lastSpeaker = null;
            for (const id of ["log", "say", "leave"]) element(id).hidden = true;
            element("door").hidden = false;
            element("name").focus();
            show("offline", "not connected");
        }

        element("door-form").onsubmit = event => { event.preventDefault(); enter(element("name").value); };
        element("leave").onclick = leave;
        element("say").onsubmit = event => {
            event.preventDefault();
            const words = text.value.trim();
            if (!words || socket?.readyState !== WebSocket.OPEN) return;
            socket.send(words);
            if (!here) said(me, words, true);
            text.value = "";
        };
        addEventListener("online", () => { if (timer) connect(); });

        const asked = tidy(new URLSearchParams(location.search).get("name") ?? "");
        element("name").value = asked || remembered();
        if (asked) enter(asked); else element("name").focus();
        </script>
        </body>
        </html>
        """#
}
