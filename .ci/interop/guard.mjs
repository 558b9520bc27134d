// The story told behind an authorisation server: what is added to it, and what must hold then.
import fs from 'node:fs';
import path from 'node:path';
import { readBack, wrong } from './judges.mjs';
import { Authority, scopes } from './smart.mjs';
import { check } from './world.mjs';

const rows = 1001;

export class Guard {
  constructor(title, alg, port) { this.title = title; this.alg = alg; this.port = port; this.issuer = `http://127.0.0.1:${port}`; }
  auth(name) { return `dialect: {page_size: 20, conditional_create: true}, auth: {kind: smart, client_id: hub, key_file: secrets/${name}.jwk, scopes: [${scopes.join(', ')}]}`; }
  token() { return this.server.token(); }
  stop() { this.server?.stop(); }
  is(what, ok, saw) { check(`${this.title}: ${what}`, ok, saw); }

  // The hub's key is made, its public half registered, and check finds everything well; one scope left out is named.
  async enter(hub, practice, prescriber) {
    let r, set = { keys: [] };
    for (const name of ['ehr', 'skylight']) {
      r = await hub.run(['keys', 'new', name, '--alg', this.alg]);
      this.is(`keys new ${name}`, r.code === 0, r.err);
      const own = JSON.parse((await hub.run(['keys', 'list', name, '--jwks'])).out);
      this.is('each connector publishes a key of its own', own.keys.length === 1 && !('d' in own.keys[0]), Object.keys(own.keys[0] ?? {}));
      set.keys.push(...own.keys);
    }
    this.jwk = JSON.parse(fs.readFileSync(path.join(hub.dir, 'secrets/ehr.jwk')));
    this.server = await Authority.start(this.port, { jwks: set }, this.alg, practice.url);
    r = await hub.run(['check', '--json']);
    const auth = JSON.parse(r.out).counterparts.map((c) => c.auth);
    this.is('check finds no claim that fails', r.code === 0 && auth.every((a) => a.length > 8 && a.every((c) => c.verdict !== 'fails')), [r.code, auth]);
    this.is('check tells no assertion and no token', !/eyJ/.test(r.out + r.err));
    await this.server.drop(['system/Flag.rs']);
    r = await hub.run(['check']);
    this.is('check names the scope left out', r.code === 1 && /left out without a word: system\/Flag\.rs/.test(r.out.replace(/\s+/g, ' ')), r.out);
    r = await hub.run(['sync']);
    this.is('a read without the scope is not complete, and sync says why', r.code === 3 && /Flag: scope not granted/.test(r.out + r.err), [r.code, r.out, r.err]);
    await this.server.drop([]);
    void prescriber;
  }

  // In the middle of the next sync the practice is busy, once.
  async busy(practice, hub) {
    let n = 0;
    practice.before = async () => { if (++n === 9) await fetch(`http://127.0.0.1:${practice.inner}/_fault`, { method: 'POST', body: JSON.stringify([{ status: 503, retryAfter: 1, times: 1 }]) }); };
    const r = await hub.run(['sync']);
    practice.before = undefined;
    this.is('a busy server makes sync exit 3', r.code === 3 && practice.statuses[503] === 1, [r.code, practice.statuses, r.err]);
    await new Promise((ok) => setTimeout(ok, 1100));
  }

  // A sync that takes longer than two tokens live: many rows, page by page, from a slow server.
  async long(practice, { ref }, hub) {
    const entry = Array.from({ length: rows }, (_, i) => ({ request: { method: 'POST', url: 'Observation' }, resource: { resourceType: 'Observation', status: 'final', subject: ref,
      code: { coding: [{ system: 'http://loinc.org', code: '29463-7' }] }, effectiveDateTime: new Date(Date.now() - 86400e3 - i * 60e3).toISOString(), valueQuantity: { value: 60 + i / 100, unit: 'kg' } } }));
    await practice.request('POST', '', { resourceType: 'Bundle', type: 'batch', entry });
    const before = await this.server.seen(), pages = practice.searches.Observation;
    practice.delay = 60;
    const r = await hub.run(['sync']);
    practice.delay = 0;
    const tokens = (await this.server.seen()).good - before.good;
    this.is('the long sync ends well', r.code === 0, [r.code, r.err, r.out]);
    this.is(`${rows} rows were read page by page`, practice.searches.Observation - pages >= Math.floor(rows / 20), [practice.searches, pages]);
    this.is('the token was renewed on the way', tokens >= 3, [tokens, r.ms]);
    this.is('no request came with a token that was over', !practice.statuses[401], practice.statuses);
    this.told = `, ${tokens} tokens in a sync of ${(r.ms / 1000).toFixed(0)} s`;
  }

  // Between the hub's read and its write somebody at the practice changes the very record.
  collide(practice) {
    practice.before = async (q) => {
      if (q.method !== 'PUT' || !q.headers['if-match']) return;
      practice.before = undefined;
      this.mine = q.url.slice(1);
      const now = await practice.request('GET', this.mine);
      await practice.put({ ...now, note: [{ text: 'seen by the practice' }] });
    };
  }

  async judge(practice, prescriber) {
    const puts = practice.written.filter((w) => w.method === 'PUT' && w.url.slice(1) === this.mine);
    this.is('the write that came too late was refused, and decided again on what stood there', puts.length >= 2 && puts[0].status === 412 && puts[1].status === 200 && puts[0].headers['if-match'] !== puts[1].headers['if-match'], puts.map((w) => [w.status, w.headers['if-match']]));
    const now = await practice.request('GET', this.mine);
    this.is('and what the practice wrote meanwhile still stands', now.note?.[0]?.text === 'seen by the practice', Object.keys(now));

    const creates = [...practice.written, ...prescriber.written].filter((w) => w.method === 'POST');
    this.is('every create is conditional', creates.length > 5 && creates.every((w) => w.headers['if-none-exist']), creates.map((w) => w.headers['if-none-exist']));
    for (const peer of [practice, prescriber]) {
      const w = peer.written.find((w) => w.method === 'POST' && w.status === 201), count = (await peer.all(w.body.resourceType)).length;
      const again = await fetch(`${peer.url}${w.url}`, { method: 'POST', headers: { 'content-type': 'application/fhir+json', authorization: `Bearer ${await this.token()}`, 'if-none-exist': w.headers['if-none-exist'] }, body: JSON.stringify(w.body) });
      peer.written.pop();
      this.is(`the same create again makes no second ${w.body.resourceType}`, again.status === 200 && (await peer.all(w.body.resourceType)).length === count, again.status);
    }

    let written = 0;
    for (const peer of [practice, prescriber]) {
      const mine = peer.written.filter((w) => w.status < 300);
      const faults = [...new Set(mine.flatMap((w) => wrong(w.body)))];
      this.is(`two validators find nothing wrong with what the hub wrote to the ${peer.name}`, mine.length > 3 && faults.length === 0, faults);
      written += mine.length;
      for (const type of new Set(mine.map((w) => w.body.resourceType))) {
        const there = (await peer.all(type)).sort((a, b) => (a.id < b.id ? -1 : 1));
        for (const [i, read] of (await readBack(peer.url, type, () => this.token())).entries()) this.is(`${['fhir-kit-client', 'fhirclient'][i]} reads every ${type} of the ${peer.name} whole`, there.length > 0 && there.length < 1000 ? JSON.stringify(read) === JSON.stringify(there) : read.length >= rows, [read.length, there.length]);
      }
    }

    const seen = await this.server.seen();
    this.is(`every assertion has a jti of its own and is ${this.alg}`, seen.requests === seen.good && seen.errors.length === 0 && new Set(seen.jti).size === seen.requests && seen.alg.every((a) => a === this.alg) && seen.typ.every((t) => t === 'JWT'), [seen.requests, seen.good, new Set(seen.jti).size, seen.errors]);
    const once = await this.server.assert(this.jwk, this.alg), ask = async (change) => this.server.ask(change);
    this.is('the authorisation server takes an assertion once', (await ask(once)).status === 200);
    const replayed = await ask(once);
    this.is('and refuses it when it is replayed', replayed.status >= 400 && !replayed.access_token, replayed);
    for (const change of [{ aud: 'http://elsewhere.example' }, { iss: 'somebody' }, { exp: '-1m' }]) { const a = await ask(await this.server.assert(this.jwk, this.alg, change)); this.is(`and one with a wrong ${Object.keys(change)}`, a.status >= 400, a); }
    this.told += `, ${seen.requests} token requests with as many jti, ${written} resources written and judged well`;
  }
}
