# Sourced by common.sh: a build that says what it does.
# shellcheck shell=bash

# build_release PRODUCT: builds it in release mode and tells meanwhile, on standard error, how far that is: in a terminal in one line
# that is drawn anew, elsewhere in a line every ten seconds. Warnings and errors are shown, and the status is the build's.
build_release() {
    local product=$1 status
    swift build -c release --product "$product" --traits CommandLineTool 2>&1 | tell_build "$product" >&2
    status=${PIPESTATUS[0]}
    return "$status"
}

# Reads what `swift build` prints. It is told of by files and modules, whatever a line of the build's looks like: what is no step
# is passed on.
tell_build() {
    local product=$1 since=$SECONDS told=$SECONDS line='' part step='' module='' status
    while true; do
        status=0
        IFS= read -r -t 1 part || status=$?
        line+=$part
        # More than 128: a second without a line, or in the middle of one.
        if ((status > 128)); then
            say_progress
            continue
        fi
        case $line in
        \[*/*\]\ *)
            step=${line%%]*} step=${step#[}
            [[ $line != *' Compiling '* ]] || { module=${line#* Compiling } module=${module%% *}; }
            ;;
        # What is wrong with the manifests of packages that we depend on is not ours to mend.
        "warning: 'swift-"* | '    /'*'/checkouts/'*) ;;
        '' | Fetch* | Comput* | Creating* | Working* | Building* | Planning* | 'Build of product'* | 'Build complete'*) ;;
        *) if [[ -t 2 ]]; then printf '\r\e[K%s\n' "$line"; else printf '%s\n' "$line"; fi ;;
        esac
        line=''
        say_progress
        ((status == 0)) || break
    done
    if [[ -t 2 ]]; then printf '\r\e[K'; fi
    ((SECONDS - since < 5)) || echo "the build took $((SECONDS - since)) s"
}

# In the words of tell_build's variables.
say_progress() {
    local text="building $product"
    [[ -z $step ]] || text+=": step ${step%/*} of ${step#*/}${module:+, $module}"
    text+=", $((SECONDS - since)) s"
    if [[ -t 2 ]]; then
        printf '\r\e[K%s' "$text"
    elif ((SECONDS - told >= 10)); then
        told=$SECONDS
        printf '%s\n' "$text"
    fi
}
