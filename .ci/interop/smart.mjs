// What the runs behind an authorisation server need: its process, the hub's clients, and validators of what the hub wrote.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { SignJWT, importJWK } from 'jose';
import { randomUUID } from 'node:crypto';
import { check } from './world.mjs';

const here = import.meta.dirname;
const read = ['Consent', 'Appointment', 'Procedure', 'Encounter', 'MedicationAdministration', 'Flag', 'AdverseEvent', 'CarePlan', 'Goal', 'Condition', 'MedicationStatement', 'DiagnosticReport', 'DocumentReference', 'Practitioner', 'PractitionerRole', 'Organization', 'Medication'];
const write = ['Patient', 'Consent', 'ServiceRequest', 'Task', 'Observation', 'MedicationRequest', 'MedicationDispense'];
// What the hub asks for, type by type, so that one left out can be named.
export const scopes = [...write.map((t) => `system/${t}.cruds`), ...read.filter((t) => !write.includes(t)).map((t) => `system/${t}.rs`)];

export class Authority {
  // keys is the set that kaphub printed; alg what it signs with.
  static async start(port, keys, alg, audience) {
    const a = new Authority(); a.issuer = `http://127.0.0.1:${port}`; a.secret = randomUUID();
    a.child = spawn(process.execPath, [path.join(here, 'authority.mjs'), String(port)], { stdio: ['pipe', 'pipe', 'pipe'] });
    let said = ''; a.child.stderr.on('data', (d) => { said += d; if (/authorisation server:/.test(String(d))) process.stderr.write(d); }); // its own warnings are about production
    a.child.stdin.end(JSON.stringify({ scopes, audience, staff: a.secret, hub: { token_endpoint_auth_signing_alg: alg, ...keys } }));
    await new Promise((ok, no) => { a.child.stdout.once('data', ok); a.child.once('exit', () => no(new Error(`the authorisation server did not start: ${said}`))); });
    return a;
  }
  get url() { return `${this.issuer}/token`; }
  async ask(form) { const r = await fetch(this.url, { method: 'POST', body: new URLSearchParams({ grant_type: 'client_credentials', scope: scopes.join(' '), ...form }) }); return { status: r.status, ...(await r.json()) }; }
  // A token for the people at either side, and for whoever reads after them.
  async token() {
    if (!this.kept || Date.now() > this.until) { this.until = Date.now() + 3000; const t = await this.ask({ client_id: 'staff', client_secret: this.secret }); check('staff get a token', t.access_token, t); this.kept = t.access_token; }
    return this.kept;
  }
  // An assertion of the hub's by other means, to see what the server refuses.
  async assert(jwk, alg, change = {}) {
    const key = await importJWK(jwk, alg), c = { iss: 'hub', aud: this.url, jti: randomUUID(), exp: '4m', ...change };
    const client_assertion = await new SignJWT({}).setProtectedHeader({ alg, kid: jwk.kid, typ: 'JWT' }).setIssuer(c.iss).setSubject(c.iss).setAudience(c.aud).setJti(c.jti).setExpirationTime(c.exp).sign(key);
    return { client_assertion, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer' };
  }
  async seen() { return (await fetch(`${this.issuer}/_seen`)).json(); }
  async drop(list) { await fetch(`${this.issuer}/_drop`, { method: 'POST', body: JSON.stringify(list) }); }
  stop() { this.child.kill('SIGKILL'); }
}
