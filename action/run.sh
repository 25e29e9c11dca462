#!/usr/bin/env bash
# One command of osapi-ops as a step of a job: its text into the log, a summary for the job, outputs for later steps.
# All inputs come by the environment: nothing of them is ever read as code.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d "$RUNNER_TEMP/osapi-ops.XXXXXX")
trap 'rm -rf "$work"' EXIT
log=$work/log

args=()
while IFS= read -r line; do
  line=${line%$'\r'}
  [ -z "$line" ] || args+=("$line")
done <<< "$INPUT_ARGS"

[ -z "$INPUT_SPEC" ] || export OSAPI_OPS_SPEC=$INPUT_SPEC
[ -z "$INPUT_SERVER" ] || export NATS_URL=$INPUT_SERVER
# A spec may take any variable into a description, which a plan then shows: what is secret is in none while it is read.
if [ -n "$INPUT_CREDS" ]; then
  (umask 077 && printf '%s\n' "$INPUT_CREDS" > "$work/nats.creds")
  export NATS_CREDS=$work/nats.creds
fi
token=$INPUT_GITHUB_TOKEN
unset INPUT_CREDS INPUT_GITHUB_TOKEN

# Runs osapi-ops with what it says in the log of the job and in a file; the exit code stays in $code.
tool() {
  code=0
  osapi-ops "$@" ${args[0]+"${args[@]}"} 2>&1 | tee "$log" || code=$?
}

output() { printf '%s=%s\n' "$1" "$2" >> "$GITHUB_OUTPUT"; }

# What was said, as Markdown that holds it without obeying it. A summary may have 1 MiB, a comment 65,536 characters.
said() {
  printf '### %s\n\n<pre>\n' "$1"
  grep -v '^::' "$log" | tail -n 300 | head -c 20000 | sed 's/&/\&amp;/g; s/</\&lt;/g' || true
  printf '</pre>\n'
}

ending() { if [ "$code" -eq 0 ]; then echo "$1"; else echo "$1 ended with exit code $code"; fi; }

case $INPUT_COMMAND in
  validate)
    tool validate --output github
    ;;
  plan)
    plan_file=${INPUT_PLAN_FILE:-$RUNNER_TEMP/osapi-ops.plan}
    rm -f "$plan_file"
    tool plan --out "$plan_file"
    if [ "$code" -eq 0 ]; then
      changes=0
      osapi-ops plan "$plan_file" --markdown --detailed-exitcode --quiet > "$work/plan.md" || changes=$?
      output pending "$([ "$changes" -eq 2 ] && echo true || echo false)"
      output plan-file "$plan_file"
    else
      said "$(ending 'osapi-ops plan')" > "$work/plan.md"
    fi
    cat "$work/plan.md" >> "$GITHUB_STEP_SUMMARY"
    [ "$INPUT_COMMENT" != true ] || INPUT_GITHUB_TOKEN=$token node "$here/comment.mjs" "${INPUT_SPEC:-osapi-ops.yaml}" "$work/plan.md"
    ;;
  apply)
    if [ -n "$INPUT_PLAN_FILE" ]; then tool apply "$INPUT_PLAN_FILE"; else tool apply; fi
    said "$(ending 'osapi-ops apply')" >> "$GITHUB_STEP_SUMMARY"
    ;;
  status)
    # It writes the summary of the job itself.
    tool status --output github
    ;;
  replay)
    tool dlq replay
    said "$(ending 'osapi-ops dlq replay')" >> "$GITHUB_STEP_SUMMARY"
    ;;
  *)
    printf '::error title=osapi-ops::command is validate, plan, apply, status or replay\n'
    code=64
    ;;
esac

output exit-code "$code"
if [ "$INPUT_COMMAND" = replay ] && [ "$code" -eq 75 ]; then
  # Somebody else is at it: what is left the next run on the schedule takes.
  echo '::notice title=osapi-ops::another run holds the lock: nothing was replayed this time'
  exit 0
fi
exit "$code"
