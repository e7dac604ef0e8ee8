#!/bin/sh
# Runs the script that `smos contract export vault` wrote (service vault-policies), as OpenBao's administrator, and
# leaves a secret id for the servers and one for the operator's commands. May be run again.
set -eu
umask 077
BAO="${BAO:-bao}"
# By standard input: an argument is seen by everybody on the machine.
VAULT_TOKEN=$(printf %s "$BAO_ADMIN_PASSWORD" | "$BAO" login -no-store -method=userpass -token-only username=smos password=-)
export VAULT_TOKEN
sh "$EXPORTED"
for role in smos-server smos-operator; do
  "$BAO" write "auth/approle/role/$role/role-id" role_id="$role" >/dev/null
  [ -s "$CREDENTIALS/$role" ] || "$BAO" write -force -field=secret_id "auth/approle/role/$role/secret-id" >"$CREDENTIALS/$role"
done
