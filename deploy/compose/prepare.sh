#!/bin/sh
# Makes what compose.yml needs and no repository may hold: passwords, keys, a certificate for OpenBao. Needs openssl.
# May be run again: what is there stays as it is. Nothing is printed that is secret.
set -eu
umask 077
cd "$(dirname "$0")"

# The containers run as whoever owns these files, never as root.
uid=$(id -u) gid=$(id -g)
if [ "$uid" = 0 ]; then uid=10001 gid=10001; fi

random() { openssl rand -hex 24; }
# A Fernet key: 32 random bytes, base64 with the alphabet of URLs.
fernet() { openssl rand -base64 32 | tr '+/' '-_'; }

mkdir -p secrets/tls secrets/vault generated/vault generated/prometheus generated/alertmanager \
  data/prometheus data/alertmanager

if [ ! -e .env ]; then
  cat >.env <<EOF
RUN_AS_UID=$uid
RUN_AS_GID=$gid
SMOS_PUBLIC_URL=${SMOS_PUBLIC_URL:-https://bots.example.cl}
EOF
fi

if [ ! -e secrets/smarteros.env ]; then
  owner=$(random) app=$(random) bao=$(random)
  cat >secrets/postgres.env <<EOF
POSTGRES_PASSWORD=$owner
APP_PASSWORD=$app
OPENBAO_DB_PASSWORD=$bao
EOF
  cat >secrets/openbao.env <<EOF
BAO_PG_CONNECTION_URL=postgres://openbao:$bao@postgres:5432/openbao?sslmode=disable
BAO_ADMIN_PASSWORD=$(random)
EOF
  cat >secrets/smarteros.env <<EOF
SMOS_DATABASE_URL=postgresql+psycopg://smos:$owner@postgres:5432/smos
SMOS_APP_DATABASE_URL=postgresql+psycopg://smos_app:$app@postgres:5432/smos
SMOS_SECRETS_KEY=$(fernet)
SMOS_AUDIT_KEY=$(fernet)
SMOS_OPERATOR_TOKEN=$(random)
EOF
fi

# Settings of your own, SMOS_ALERT_* for one; read by every SmarterOS container after the file above.
[ -e secrets/own.env ] || : >secrets/own.env
# Alertmanager's secrets are files beside its configuration; the bridge's is ours.
if [ ! -e generated/alertmanager/bridge_token ]; then
  bridge=$(random)
  printf %s "$bridge" >generated/alertmanager/bridge_token
  echo "SMOS_ALERT_BRIDGE_TOKEN=$bridge" >>secrets/smarteros.env
fi

if [ ! -e secrets/unseal.key ]; then openssl rand -out secrets/unseal.key 32; fi

if [ ! -e secrets/tls/openbao.pem ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj "/CN=SmarterOS compose" \
    -keyout secrets/tls/ca-key.pem -out secrets/tls/ca.pem 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=openbao" \
    -keyout secrets/tls/openbao-key.pem -out secrets/tls/openbao.csr 2>/dev/null
  printf 'subjectAltName=DNS:openbao,DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n' >secrets/tls/ext.cnf
  openssl x509 -req -in secrets/tls/openbao.csr -CA secrets/tls/ca.pem -CAkey secrets/tls/ca-key.pem -CAcreateserial \
    -days 825 -extfile secrets/tls/ext.cnf -out secrets/tls/openbao.pem 2>/dev/null
  # Nothing else is to be signed by it.
  rm secrets/tls/ca-key.pem secrets/tls/ca.srl secrets/tls/openbao.csr secrets/tls/ext.cnf
fi

if [ "$(id -u)" = 0 ]; then chown -R "$uid:$gid" secrets generated data; fi
echo "ready: set SMOS_PUBLIC_URL in $(pwd)/.env, then docker compose up -d --build"
