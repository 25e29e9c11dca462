#!/bin/sh
# For a pull request: judge the spec offline, then write what merging would mean as a comment. Exits 0 with or without
# changes, else with the code of what went wrong.
osapi-ops validate config/prod.yaml || exit
osapi-ops plan config/prod.yaml --detailed-exitcode --markdown > comment.md
code=$?
[ "$code" -eq 2 ] && code=0
exit "$code"
