# OpenBao sets itself up at its first start and unseals itself at every one (static seal): no root token is left.
# Whoever has unseal.key and the database has the secrets. In production a KMS or a second OpenBao (transit) is better.
# Its address, with the password, is BAO_PG_CONNECTION_URL.
storage "postgresql" {}
listener "tcp" {
  address       = "0.0.0.0:8200"
  tls_cert_file = "/openbao/secrets/tls/openbao.pem"
  tls_key_file  = "/openbao/secrets/tls/openbao-key.pem"
}
api_addr     = "https://openbao:8200"
cluster_addr = "https://openbao:8201"
seal "static" {
  current_key_id = "compose-1"
  current_key    = "file:///openbao/secrets/unseal.key"
}
audit "file" "stdout" {
  options = { file_path = "stdout" }
}
initialize "smarteros" {
  request "kv" {
    operation = "update"
    path      = "sys/mounts/secret"
    data      = { type = "kv", options = { version = "2" } }
  }
  request "approle" {
    operation = "update"
    path      = "sys/auth/approle"
    data      = { type = "approle" }
  }
  # Enough for the script of `smos contract export vault`, and for an operator who looks after the shops' secrets.
  request "admin-policy" {
    operation = "update"
    path      = "sys/policies/acl/smos-admin"
    data = { policy = <<EOT
path "secret/*" { capabilities = ["create", "read", "update", "delete", "list"] }
path "sys/mounts/secret" { capabilities = ["read"] }
path "sys/auth/approle" { capabilities = ["read", "sudo"] }
path "sys/policies/acl/smos-*" { capabilities = ["create", "read", "update", "delete"] }
path "auth/token/roles/smos-*" { capabilities = ["create", "read", "update", "delete"] }
path "auth/approle/role/smos-*" { capabilities = ["create", "read", "update", "delete"] }
EOT
    }
  }
  request "userpass" {
    operation = "update"
    path      = "sys/auth/userpass"
    data      = { type = "userpass" }
  }
  request "admin" {
    operation = "update"
    path      = "auth/userpass/users/smos"
    data = {
      password       = { eval_type = "string", eval_source = "env", env_var = "BAO_ADMIN_PASSWORD" }
      token_policies = ["smos-admin"]
    }
  }
}
