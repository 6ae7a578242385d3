// SPDX-License-Identifier: EUPL-1.2
// A real OpenID provider for tests/servers/oidc.py. Reads one JSON line of settings, then commands,
// from standard input; answers each with one JSON line; ends when its input ends.

import * as crypto from 'node:crypto';
import * as https from 'node:https';
import * as readline from 'node:readline';
import { createRequire } from 'node:module';

import Provider, { errors } from 'oidc-provider';

// Standard output carries the answers alone; the library's notices go to the log.
console.info = console.error;

const VERSION = createRequire(import.meta.url)('oidc-provider/package.json').version;
// Resources by address; two of them name the gateway as audience and differ in how they sign.
const RESOURCES = {
  'https://cuvar.test': { alg: 'ES256' },
  'https://elsewhere.test': { alg: 'ES256' },
  'https://ps256.cuvar.test': { alg: 'PS256', audience: 'https://cuvar.test' },
  'https://longlived.cuvar.test': { alg: 'ES256', audience: 'https://cuvar.test', ttl: 3600 },
};

let settings;
let handler;
let generation = 0;
let keys = [];

function jwk(type, options, extra) {
  const { privateKey } = crypto.generateKeyPairSync(type, options);
  return { ...privateKey.export({ format: 'jwk' }), use: 'sig', ...extra };
}

function newKeys() {
  generation += 1;
  return [
    jwk('ec', { namedCurve: 'P-256' }, { kid: `es256-${generation}`, alg: 'ES256' }),
    jwk('rsa', { modulusLength: 2048 }, { kid: `ps256-${generation}`, alg: 'PS256' }),
  ];
}

function resourceServer(_ctx, resource) {
  const found = RESOURCES[resource];
  if (!found) throw new errors.InvalidTarget();
  return {
    scope: 'ask',
    audience: found.audience ?? resource,
    accessTokenTTL: found.ttl ?? 300,
    accessTokenFormat: 'jwt',
    jwt: { sign: { alg: found.alg } },
  };
}

function tokenClaims(ctx, token) {
  const claims = { ...(settings.accounts[token.accountId ?? token.clientId] ?? {}) };
  const code = ctx.oidc.entities.AuthorizationCode;
  if (code?.authTime) claims.auth_time = code.authTime;
  return claims;
}

function configuration() {
  return {
    clients: settings.clients,
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    jwks: { keys },
    cookies: { keys: [crypto.randomBytes(32).toString('hex')] },
    scopes: ['openid', 'ask'],
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    extraTokenClaims: tokenClaims,
    clientAuthMethods: ['none', 'client_secret_post', 'tls_client_auth'],
    pkce: { required: () => true },
    ttl: { IdToken: 300, Grant: 600, Session: 600, Interaction: 600 },
    enabledJWA: {
      idTokenSigningAlgValues: ['ES256', 'PS256'],
      dPoPSigningAlgValues: ['ES256'],
    },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: true },
      dPoP: { enabled: true, nonceSecret: crypto.randomBytes(32) },
      mTLS: {
        enabled: true,
        certificateBoundAccessTokens: true,
        tlsClientAuth: true,
        getCertificate: (ctx) => ctx.socket.getPeerX509Certificate(),
        certificateAuthorized: (ctx) => ctx.socket.authorized,
        certificateSubjectMatches: (ctx, property, expected) =>
          property === 'tls_client_auth_san_dns' &&
          ctx.socket.getPeerX509Certificate().subjectAltName === `DNS:${expected}`,
      },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => 'https://cuvar.test',
        useGrantedResource: () => true,
        getResourceServerInfo: resourceServer,
      },
    },
  };
}

function build() {
  handler = new Provider(settings.issuer, configuration()).callback();
}

// Answers: {} for done. `rotate` signs with new keys; the old ES256 key stays published when kept.
const COMMANDS = {
  rotate({ keep }) {
    const old = keep ? keys.filter((key) => key.alg === 'ES256') : [];
    keys = [...newKeys(), ...old];
    build();
    return { kid: keys[0].kid };
  },
};

function start(line) {
  settings = JSON.parse(line);
  const server = https.createServer(
    { key: settings.key, cert: settings.cert, ca: settings.ca, requestCert: true, rejectUnauthorized: false },
    (request, response) => handler(request, response),
  );
  server.listen(0, '127.0.0.1', () => {
    settings.issuer = `https://localhost:${server.address().port}`;
    keys = newKeys();
    build();
    say({ issuer: settings.issuer, version: VERSION, kid: keys[0].kid });
  });
}

function say(answer) {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

const input = readline.createInterface({ input: process.stdin });
input.on('line', (line) => {
  if (!settings) return start(line);
  const { op, ...rest } = JSON.parse(line);
  return say(COMMANDS[op](rest));
});
input.on('close', () => process.exit(0));
