# SPDX-License-Identifier: LGPL-2.1-or-later
# bash completion for spawnctl: verbs, options, and the names of the machines that are there.
_spawnctl() {
        local cur=${COMP_WORDS[COMP_CWORD]} verbs='list status show attach wait poweroff reboot terminate kill'
        local word verb=
        for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
                if [[ -z $verb && " $verbs " == *" $word "* ]]; then verb=$word; fi
        done
        if [[ $cur == -* ]]; then
                COMPREPLY=($(compgen -W '--json --no-legend --read-only --take --share --for= --signal= --help --version' -- "$cur"))
        elif [[ -z $verb ]]; then
                COMPREPLY=($(compgen -W "$verbs" -- "$cur"))
        elif [[ $verb != list ]]; then
                COMPREPLY=($(compgen -W "$(spawnctl list --no-legend 2>/dev/null | cut -d' ' -f1)" -- "$cur"))
        fi
}
complete -F _spawnctl spawnctl
