//! `hotprobe completions`: a script for a shell. Where a name of an event is expected, the scripts
//! for bash, zsh and fish run `hotprobe complete-event`.

use crate::arguments::Arguments;
use crate::failure::Failure;
use crate::output;
use clap::CommandFactory as _;
use clap_complete::Shell;

/// Bash splits words at `:`, which names contain: the word is taken from the line, and what is
/// before its last `:` is not inserted again.
const BASH: &str = r#"
_hotprobe_with_events() {
    _hotprobe "$@"
    local line=${COMP_LINE:0:COMP_POINT}
    local word=${line##*[[:space:]]}
    case "${COMP_WORDS[1]}:$word" in
        *:-*) return ;;
        list:*|watch:*|tail:*|record:*|latency:*|stacks:*) ;;
        *) return ;;
    esac
    case "${COMP_WORDS[COMP_CWORD-1]}" in
        -*) return ;;
    esac
    local kept= name
    [[ $word = *:* && $COMP_WORDBREAKS = *:* ]] && kept=${word%"${word##*:}"}
    COMPREPLY=()
    while IFS= read -r name; do
        COMPREPLY+=("${name#"$kept"}")
    done < <(hotprobe complete-event "${word#[\'\"]}" 2>/dev/null)
}
complete -F _hotprobe_with_events -o nosort -o bashdefault -o default hotprobe 2>/dev/null ||
    complete -F _hotprobe_with_events -o bashdefault -o default hotprobe
"#;

const ZSH: &str = r#"
(( $+functions[_hotprobe_events] )) ||
_hotprobe_events() {
    local -a names
    names=(${(f)"$(hotprobe complete-event "$PREFIX" 2>/dev/null)"})
    compadd -U -a names
}
"#;

const FISH: &str = r#"
complete -c hotprobe -n "__fish_seen_subcommand_from list watch tail record latency stacks" -f -a "(hotprobe complete-event (commandline -ct) 2>/dev/null)"
"#;

pub(crate) fn run(shell: Shell) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "hotprobe", &mut script);
    let script = String::from_utf8_lossy(&script);
    output::text(&match shell {
        Shell::Bash => script.into_owned() + BASH,
        Shell::Fish => script.into_owned() + FISH,
        // Before what the script does when it is loaded. (Hosts: see `EVENT_HINT`.)
        Shell::Zsh => {
            let script = script.replace("_hosts", "_hotprobe_events");
            let at = script.find("\n_hotprobe() {").unwrap_or(script.len());
            format!("{}{ZSH}{}", &script[..at], &script[at..])
        }
        _ => script.into_owned(),
    })
}
