# Sourced by Scripts/test: runs one long command at a time, tells how far it is, and ends it, with all it has started, when it takes
# too long or the script is told to stop.
# shellcheck shell=bash

# Seconds between two lines about what is running.
telling_interval=10
step_pid=''
teller_pid=''

# run_step LIMIT LOG DESCRIBE COMMAND...: runs COMMAND with its output in LOG, for LIMIT seconds at most. Meanwhile a line is printed
# now and then: what DESCRIBE prints for LOG. The status is COMMAND's.
run_step() {
    local limit=$1 log=$2 describe=$3 status=0
    shift 3
    "$@" </dev/null >"$log" 2>&1 &
    step_pid=$!
    tell "$limit" "$log" "$describe" &
    teller_pid=$!
    wait "$step_pid" || status=$?
    step_pid=''
    end_family TERM "$teller_pid"
    wait "$teller_pid" 2>/dev/null || true
    teller_pid=''
    return "$status"
}

# Beside a step until it is killed, or the script has been, or the step's time is over.
tell() {
    local limit=$1 log=$2 describe=$3 since=$SECONDS
    while true; do
        # Nobody waits for this process's end, so it must not keep the script's output open.
        sleep "$telling_interval" >/dev/null 2>&1
        kill -0 $$ 2>/dev/null || return
        echo "$("$describe" "$log"), $((SECONDS - since)) s"
        ((SECONDS - since < limit)) || break
    done
    echo "this has taken more than $limit s, and is ended"
    end_step
}

# Ends the step that is running, and what tells about it.
end_step() {
    if [[ -n $teller_pid ]]; then end_family TERM "$teller_pid"; fi
    if [[ -n $step_pid ]]; then end_family KILL "$step_pid"; fi
}

# end_family SIGNAL PROCESS: ends a process and what it has started. All are stopped before one is ended: what goes on running starts
# others meanwhile, and the children of one that is gone are not found any more.
end_family() {
    local signal=$1 first=$2 family=() count=-1
    while ((${#family[@]} > count)); do
        count=${#family[@]}
        mapfile -t family < <(family_of "$first")
        kill -STOP "${family[@]}" 2>/dev/null || true
    done
    kill -s "$signal" "${family[@]}" 2>/dev/null || true
    kill -CONT "${family[@]}" 2>/dev/null || true
}

# A process and what it has started, directly or not; nothing if it has ended. Process groups do not tell: swift gives its children
# their own.
family_of() {
    cat /proc/[0-9]*/stat 2>/dev/null | awk -v first="$1" '
        # Number (name) state parent ...: the name may hold anything, brackets and blanks too.
        { number = $1; sub(/^.*\) /, ""); if ($1 != "Z") parent[number] = $2 }
        END {
            if (!(first in parent)) exit
            member[first]
            do {
                grown = 0
                for (number in parent) {
                    if (!(number in member) && parent[number] in member) { member[number]; grown = 1 }
                }
            } while (grown)
            for (number in member) print number
        }'
}
