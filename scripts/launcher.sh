#!/bin/sh
# Becomes osapi-ops on the Node beside this file, whichever links lead here: signals reach it, and it needs no HOME.
self=$0
while [ -h "$self" ]; do
  link=$(readlink "$self")
  case $link in
    /*) self=$link ;;
    *) self=$(dirname "$self")/$link ;;
  esac
done
dir=$(dirname "$self")
exec "$dir/node" "$dir/run.js" "$@"
