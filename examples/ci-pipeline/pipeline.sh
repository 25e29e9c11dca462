#!/bin/sh
# The whole pipeline: a spec goes live, what died is moved back, and the health of the system decides.
set -e
osapi-ops apply config/prod.yaml
osapi-ops dlq replay
osapi-ops status
