#!/bin/sh
# A handler: the request on stdin, the response on stdout, once for each request. Exit code 0 answers, 75 asks for a later
# delivery, 65 rejects with stderr as the reason; anything else is a failure, tried again as the consumer's backoff says.
request=$(cat)
case $(printf '%s' "$request" | jq -r .query) in
  null) echo "no query" >&2; exit 65 ;;
  busy) [ -e tried ] || { touch tried; echo "not now" >&2; exit 75; } ;;
esac
printf '%s' "$request" | jq -c '{id, query, response: (.query | length)}'
