#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes the secrets of deploy/docker-compose.yml in deploy/secrets, each once: a token for API and console, one by which instances ask
# each other, a write key for the collector, Grafana's password. The program gets only the SHA-256 of tokens and key, but for its own.
set -euo pipefail
umask 077
folder=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/secrets
mkdir -p "$folder"
fresh() { head -c 24 /dev/urandom | base64 | tr '+/' '-_'; }
keep() { if [[ ! -e $folder/$1 ]]; then cat >"$folder/$1"; fi; }

fresh | keep token
hash() { tr -d '\n' <"$folder/$1" | sha256sum | cut -d' ' -f1; }
fresh | keep instance_token
printf 'console %s read,write,admin,erase\n' "$(hash token)" | keep tokens
grep -q '^instances ' "$folder/tokens" || printf 'instances %s read\n' "$(hash instance_token)" >>"$folder/tokens"
fresh | keep write_key
printf 'shop %s\n' "$(hash write_key)" | keep write_keys
fresh | keep grafana_password
# Containers run as another user: these are readable to them, the folder's name is not listed to others.
chmod 711 "$folder"
chmod 644 "$folder/tokens" "$folder/instance_token" "$folder/write_keys" "$folder/grafana_password"
echo "token for the API and the console: $folder/token"
echo "write key of the collector:        $folder/write_key"
