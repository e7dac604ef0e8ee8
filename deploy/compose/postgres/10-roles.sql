-- Run once by the image of PostgreSQL, in an empty data directory, as POSTGRES_USER, who owns SmarterOS' tables.
\set ON_ERROR_STOP on
\getenv app_password APP_PASSWORD
\getenv bao_password OPENBAO_DB_PASSWORD
CREATE ROLE smos_app LOGIN NOSUPERUSER NOBYPASSRLS PASSWORD :'app_password';
CREATE ROLE openbao LOGIN PASSWORD :'bao_password';
CREATE DATABASE openbao OWNER openbao;
