import type { Shell } from './completion.ts';

// Each script asks `osapi-ops __complete` at every Tab and shows what it says: it knows no command by itself, so that it
// is as new as the program. What goes wrong there is nobody's matter in the middle of a line: it is silent.

/** A path that was typed is asked itself; a name, or an alias of it, is looked up. COMP_WORDBREAKS tells what readline replaces. */
const BASH = String.raw`# osapi-ops, completion for bash
_osapi_ops() {
  local program=osapi-ops head line cur=${'$'}{COMP_WORDS[COMP_CWORD]} ending
  case $1 in */*) program=${'$'}{1/#\~/$HOME} ;; esac
  COMPREPLY=()
  {
    IFS= read -r head || return 0
    while IFS= read -r line; do COMPREPLY+=("$line"); done
  } < <("$program" __complete bash "$COMP_WORDBREAKS" "${'$'}{COMP_LINE:0:COMP_POINT}" 2>/dev/null </dev/null)
  case $head in
    :folders | :files*)
      [ "$cur" = = ] && cur=
      compopt -o filenames 2>/dev/null
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -d -- "$cur")
      [ "$head" = :folders ] && return 0
      [ "$head" = :files ] && while IFS= read -r line; do
        [ -d "$line" ] || COMPREPLY+=("$line")
      done < <(compgen -f -- "$cur")
      for ending in ${'$'}{head#:files}; do
        while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -X "!*.$ending" -- "$cur")
      done
      ;;
    *)
      compopt -o nosort 2>/dev/null
      # A word that waits for more, as --by header: does.
      case ${'$'}{COMPREPLY[0]-} in *: | *:.) [ ${'$'}{#COMPREPLY[@]} -eq 1 ] && compopt -o nospace 2>/dev/null ;; esac
      ;;
  esac
  return 0
}
complete -F _osapi_ops osapi-ops
`;

const ZSH = String.raw`#compdef osapi-ops
# osapi-ops, completion for zsh
_osapi-ops() {
  local program=osapi-ops head reply tab=$'\t'
  local -a replies values shown
  [[ $words[1] == */* ]] && program=${'$'}{~words[1]}
  replies=("${'$'}{(@f)$("$program" __complete zsh "=${'$'}{(Q)PREFIX}" "${'$'}{(@Q)words[2,CURRENT-1]}" 2>/dev/null </dev/null)}")
  head=$replies[1]
  case $head in
    :folders | :files*)
      [[ $PREFIX == --*=* ]] && compset -P '--*='
      if [[ $head == :folders ]]; then
        _files -/
      elif [[ $head == :files ]]; then
        _files
      else
        _files -g "*.(${'$'}{(j:|:)${'$'}{=head#:files}})(-.)"
      fi
      return
      ;;
  esac
  local -i width=0
  for reply in "${'$'}{(@)replies[2,-1]}"; do
    [[ -n $reply ]] || continue
    values+=("${'$'}{reply%%$tab*}")
    (( ${'$'}{#values[-1]} > width )) && width=${'$'}{#values[-1]}
  done
  (( ${'$'}{#values} )) || return 1
  for reply in "${'$'}{(@)replies[2,-1]}"; do
    [[ -n $reply ]] || continue
    if [[ $reply == *$tab* ]]; then
      shown+=("${'$'}{(r:width:)${'$'}{reply%%$tab*}}  -- ${'$'}{reply#*$tab}")
    else
      shown+=("$reply")
    fi
  done
  # In the order given: the newest dead letters come first.
  compadd -l -V osapi-ops -d shown -a values
}
if [[ $funcstack[1] == _osapi-ops ]]; then
  _osapi-ops "$@"
elif (( $+functions[compdef] )); then
  compdef _osapi-ops osapi-ops
fi
`;

const FISH = String.raw`# osapi-ops, completion for fish
function __osapi_ops_complete
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    set -l current (string unescape -- "$typed" 2>/dev/null; or printf '%s\n' "$typed")
    set -l replies (osapi-ops __complete fish "=$current" $words[2..-1] 2>/dev/null </dev/null)
    switch "$replies[1]"
        case ':folders*' ':files*'
            set -l endings (string split ' ' -- "$replies[1]")[2..-1]
            set -l stem (string match -r -- '^--[^=]+=' "$current")
            set -l part (string replace -r -- '^--[^=]+=' '' "$current")
            for found in (complete -C "__osapi_ops_any $part")
                set -l name (string split -- \t "$found")[1]
                if string match -q -- '*/' "$name"
                    printf '%s%s\n' "$stem" "$name"
                else if test "$replies[1]" = ':files'; or contains -- (string split -r -m1 . -- "$name")[-1] $endings
                    printf '%s%s\n' "$stem" "$name"
                end
            end
        case '*'
            test (count $replies) -gt 1; and printf '%s\n' $replies[2..-1]
    end
end
complete -c osapi-ops -f -k -a '(__osapi_ops_complete)'
`;

const POWERSHELL = String.raw`# osapi-ops, completion for PowerShell
Register-ArgumentCompleter -Native -CommandName osapi-ops -ScriptBlock {
  param($wordToComplete, $commandAst, $cursorPosition)
  $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
    Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
    ForEach-Object { if ($null -ne $_.Value) { [string]$_.Value } else { $_.Extent.Text } })
  $replies = @(osapi-ops __complete powershell "=$wordToComplete" @words 2>$null)
  if ($replies.Count -eq 0 -or -not $replies[0].StartsWith(':values')) { return }
  $replies | Select-Object -Skip 1 | ForEach-Object {
    $value, $remark = $_ -split [char]9, 2
    if (-not $remark) { $remark = $value }
    $text = if ($value -match '[^\w./:=@+-]') { "'" + $value.Replace("'", "''") + "'" } else { $value }
    [System.Management.Automation.CompletionResult]::new($text, $value, 'ParameterValue', $remark)
  }
}
`;

export const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH, powershell: POWERSHELL };

/** The one line that turns completion on, and where it goes. */
export const SETUP: Readonly<Record<Shell, { readonly line: string; readonly file: string }>> = {
  bash: { line: 'eval "$(osapi-ops autocomplete bash)"', file: '~/.bashrc' },
  zsh: { line: 'eval "$(osapi-ops autocomplete zsh)"', file: '~/.zshrc, after compinit' },
  fish: { line: 'osapi-ops autocomplete fish | source', file: '~/.config/fish/config.fish' },
  powershell: { line: 'osapi-ops autocomplete powershell | Out-String | Invoke-Expression', file: '$PROFILE' },
};
