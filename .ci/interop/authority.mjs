// A SMART Backend Services authorisation server (oidc-provider) in a process of its own: node authority.mjs PORT, with the
// settings on stdin. Tokens live five seconds; a scope that is not allowed is left out without a word.
// GET /_seen tells what clients sent: how many requests, how many distinct jti, which errors. POST /_drop [scope] takes scopes away.
import Provider from 'oidc-provider';
import { generateKeyPair, exportJWK, decodeJwt, decodeProtectedHeader } from 'jose';

const port = +process.argv[2], issuer = `http://127.0.0.1:${port}`;
let text = ''; for await (const chunk of process.stdin) text += chunk;
const { scopes, hub, staff, audience } = JSON.parse(text);
const pair = await generateKeyPair('RS256', { extractable: true });
let dropped = [];
const seen = { requests: 0, good: 0, jti: [], alg: [], typ: [], errors: [] };

const machine = { grant_types: ['client_credentials'], response_types: [], redirect_uris: [], scope: scopes.join(' ') };
const oidc = new Provider(issuer, {
  jwks: { keys: [{ ...(await exportJWK(pair.privateKey)), alg: 'RS256', kid: 'as-1', use: 'sig' }] }, scopes,
  clients: [
    { ...machine, client_id: 'hub', token_endpoint_auth_method: 'private_key_jwt', ...hub },
    { ...machine, client_id: 'staff', client_secret: staff, token_endpoint_auth_method: 'client_secret_post' },
  ],
  enabledJWA: { clientAuthSigningAlgValues: ['ES384', 'RS384'] },
  features: { clientCredentials: { enabled: true }, devInteractions: { enabled: false },
    resourceIndicators: { enabled: true, defaultResource: () => audience, useGrantedResource: () => true,
      getResourceServerInfo: (ctx, resource, client) => ({ scope: scopes.filter((s) => client.clientId !== 'hub' || !dropped.includes(s)).join(' '), audience, accessTokenFormat: 'jwt', accessTokenTTL: 5, jwt: { sign: { alg: 'RS256' } } }) } },
});
oidc.use(async (ctx, next) => {
  if (ctx.path === '/_seen') { ctx.body = seen; return; }
  if (ctx.path === '/_drop') { let t = ''; for await (const c of ctx.req) t += c; dropped = JSON.parse(t); ctx.status = 204; return; }
  await next();
  const assertion = ctx.oidc?.body?.client_assertion ?? ctx.oidc?.params?.client_assertion;
  if (ctx.path !== '/token' || !assertion) return;
  seen.requests++;
  try { seen.jti.push(decodeJwt(assertion).jti); const h = decodeProtectedHeader(assertion); seen.alg.push(h.alg); seen.typ.push(h.typ); } catch { seen.errors.push('unreadable'); }
  if (ctx.status === 200) seen.good++; else seen.errors.push(ctx.body?.error ?? String(ctx.status));
});
oidc.on('server_error', (c, e) => console.error('authorisation server:', e.message));
oidc.listen(port, '127.0.0.1', () => console.log('up'));
