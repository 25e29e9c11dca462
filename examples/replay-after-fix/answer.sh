#!/bin/sh
# A handler: the request on stdin, the response on stdout. Another exit code than 0 is a failure.
# Its defect: it has no price for "gadget".
jq -ce '{price: (if .query == "widget" then 3 else error("no price for \(.query)") end)}'
