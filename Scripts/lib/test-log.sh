# Sourced by Scripts/test: what the output of Swift Testing tells about a run that is under way, or was ended.
# shellcheck shell=bash

# Reads a log into counts, and into the names of the tests that have begun and not ended, the first of them first.
read -r -d '' test_log_reader <<'AWK' || true
/^◇ Test (case |run )/ || /^[✔✘] Test (case |run )/ { next }
/^◇ Test .* started\.$/ {
    sub(/^◇ Test /, ""); sub(/ started\.$/, "")
    if (running[$0]++ == 0) order[++begun] = $0
}
/^(✔|✘) Test .* (passed|failed) after / {
    if (/^✔/) passed++; else failed++
    sub(/^(✔|✘) Test /, ""); sub(/ (passed|failed) after .*$/, ""); sub(/ with [0-9]+ test cases?$/, "")
    running[$0]--
}
AWK

# progress_of_tests LOG [COUNT]: COUNT is how many there are.
progress_of_tests() {
    awk -v count="${2:-}" "$test_log_reader"'
        END {
            for (i = 1; i <= begun; i++) if (running[order[i]] > 0) { if (!others++) first = order[i] }
            printf "%d%s passed, %d failed", passed, (count ? " of " count : ""), failed
            if (others) printf ", running: %s%s", first, (others > 1 ? " and " (others - 1) " more" : "")
        }' "$1"
}

# The names of those that did not come to their end.
unfinished_tests() {
    awk "$test_log_reader"'
        END {
            for (i = 1; i <= begun; i++) if (running[order[i]] > 0) print "✘ not ended: " order[i]
        }' "$1"
}
