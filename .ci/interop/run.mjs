// make interop, or .ci/interop/run [sqlite|postgres] [plain|kill|drop|smart-es384|smart-rs384|thin]: see run.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { Guard } from './guard.mjs';
import { Hub, Peer, check, fail, freePort } from './world.mjs';
import { thin } from './thin.mjs';
import { acknowledge, arrival, canary, decision, mrn, npi, referral, withdraw } from './story.mjs';

const bin = path.resolve(import.meta.dirname, '../../kaphub');
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'kaphub-interop-'));
const limit = 6_000; // ms after which a source's last complete read is stale in these runs
const lease = 5_100; // ms a dead reader's lease lasts
const wait = (ms) => new Promise((r) => setTimeout(r, ms));
const seeded = (seed) => () => ((seed = (seed * 1103515245 + 12345) % 2147483648) / 2147483648);

// PostgreSQL in a temp dir, as a user who is not root.
function postgres() {
  const bins = fs.readdirSync('/usr/lib/postgresql').map((v) => `/usr/lib/postgresql/${v}/bin`).find((d) => fs.existsSync(`${d}/initdb`)) ?? fail('PostgreSQL is not installed: make needs');
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'kaphub-pg-')), port = 20000 + Math.floor(Math.random() * 20000);
  const as = process.getuid() === 0 ? { uid: +execFileSync('id', ['-u', 'nobody']), gid: +execFileSync('id', ['-g', 'nobody']) } : {};
  if (as.uid) fs.chownSync(dir, as.uid, as.gid);
  execFileSync(`${bins}/initdb`, ['-D', `${dir}/data`, '-U', 'kaphub', '-A', 'trust', '-E', 'UTF8', '--no-sync'], { ...as, stdio: 'ignore', cwd: dir });
  const child = spawn(`${bins}/postgres`, ['-D', `${dir}/data`, '-p', String(port), '-k', dir, '-c', 'listen_addresses=127.0.0.1'], { ...as, stdio: 'ignore', cwd: dir });
  const psql = (db, ...args) => execFileSync(`${bins}/psql`, ['-h', '127.0.0.1', '-p', String(port), '-U', 'kaphub', '-d', db, '-v', 'ON_ERROR_STOP=1', '-At', ...args], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  for (let i = 0; spawnSync(`${bins}/pg_isready`, ['-h', '127.0.0.1', '-p', String(port)]).status !== 0; i++) { if (i > 100) fail('PostgreSQL did not start'); spawnSync('sleep', ['0.1']); }
  let n = 0;
  return {
    fresh() { const db = `run${++n}`; psql('postgres', '-c', `CREATE DATABASE ${db}`); return { dsn: `postgres://kaphub@127.0.0.1:${port}/${db}`, db }; },
    jobs(db) { return ['river_job', 'river_queue', 'job_run', 'job_slot', 'job_lane'].map((t) => psql(db, '-c', `SELECT * FROM ${t}`)).join('\n'); }, // what the engine keeps
    stop() { child.kill('SIGINT'); fs.rmSync(dir, { recursive: true, force: true }); },
  };
}

function config(dsn, practice, prescriber, auth) {
  return `hub: {name: Reverie, time_zone: America/Denver, listen: 127.0.0.1:0}
store: {dsn: "${dsn}", key_file: kaphub.key}
practice:
  title: Reverie
  stale_after: ${limit / 1000}s
  credentials: none set
  connectors:
    - {name: ehr, kind: fhirrest, base_url: "${practice.url}", ${auth('ehr')}}
prescribers:
  - name: skylight
    title: Skylight Psychedelics
    stale_after: ${limit / 1000}s
    identifiers: [{system: "${npi.system}", value: "${npi.value}"}]
    connectors:
      - {name: skylight, kind: fhirrest, base_url: "${prescriber.url}", ${auth('skylight')}}
    sheet:
      signed: 2026-01-10
      deciders: [{system: "${npi.system}", value: "${npi.value}"}]
      clearance_validity: 90d
      follow_up: none set
      dose_interval: none set
      session_cap: none set
      preparations: 1
      systolic_limit: 140 mmHg
      diastolic_limit: 90 mmHg
      heart_rate_limit: 100 /min
      office_only: none set
      states_not_served: none set
      lead_days: none set
rules: {telehealth_until: 2099-12-31} # the story is of no year
`;
}

// One telling of the story. mode: plain, kill (SIGKILL at random moments of sync), drop (every third reply is swallowed), or
// smart-… (both servers behind an authorisation server whose tokens live five seconds; see guard.mjs).
async function tell(engine, mode, pg) {
  const title = `${engine}, ${mode}`, random = seeded(20261123), began = Date.now();
  const guard = mode.startsWith('smart') ? new Guard(title, mode.slice(6).toUpperCase(), await freePort()) : undefined;
  const practice = await Peer.start('practice', guard), prescriber = await Peer.start('prescriber', guard);
  const hub = new Hub(path.join(root, `${engine}-${mode}`), bin);
  try {
    let r = await hub.run(['init']);
    check('init', r.code === 0, r.err);
    const store = engine === 'postgres' ? pg.fresh() : { dsn: 'kaphub.db' };
    fs.writeFileSync(path.join(hub.dir, 'kaphub.yaml'), config(store.dsn, practice, prescriber, guard ? (name) => guard.auth(name) : () => 'auth: {kind: none}'));
    await guard?.enter(hub, practice, prescriber);
    if (mode === 'drop') practice.drop = prescriber.drop = 3;

    let kills = 0, typical = 250, syncs = 0;
    const sync = async (killsHere = 12) => { // until it ends well; a dropped reply or a kill is tried again
      if (mode === 'kill') for (let here = 0; here < killsHere;) {
        const k = await hub.run(['sync'], { killAfter: 15 + random() * typical });
        if (k.signal !== 'SIGKILL') continue;
        here++; kills++;
        await wait(lease); // so that the next one dies at its work, not while it waits for the dead one's lease
      }
      let s;
      for (let i = 0; i < 200; i++) { // a send of which nothing is known is looked for after a minute
        s = await hub.run(['sync']); syncs++;
        if (s.code === 0) { typical = Math.min(Math.max(s.ms, 100), 400); return s; }
        if (mode === 'plain') fail(`${title}: sync exits ${s.code}: ${s.err}${s.out}`);
        await wait(500); // a try or lease that a killed process holds is left alone for a while
      }
      fail(`${title}: sync never ended well: ${s.err}${s.out}`);
    };
    const state = async () => {
      const b = await hub.board(), mine = b.clients.filter((c) => c.identifiers.some((i) => i.value === mrn.value));
      check(`${title}: one line on the board`, mine.length === 1, b.clients.length);
      return mine[0];
    };
    const is = async (want, when) => { // re-synced by the caller; the board must say so
      const c = await state();
      check(`${title}: ${when}: ${want}`, c.state === want, { state: c.state, open: c.gates.filter((g) => !['met', 'not-due'].includes(g.state)), findings: c.findings });
      return c;
    };
    const one = async (peer, type, want = 1) => { const all = await peer.all(type); check(`${title}: ${want} ${type} at the ${peer.name}`, all.length === want, all.length); return all; };

    const now = Date.now(), his = await referral(practice, now);
    await guard?.busy(practice, hub);
    await sync();
    for (const type of ['Patient', 'ServiceRequest', 'Task', 'Consent']) await one(prescriber, type);
    check(`${title}: no process note left the practice`, !JSON.stringify(await prescriber.all('ServiceRequest')).includes('process note'));

    const theirs = await decision(prescriber, now);
    await acknowledge(practice, his, theirs, Date.now());
    await sync();
    const [task] = await one(practice, 'Task'); check(`${title}: the practice reads accepted`, task.status === 'accepted', task.status);
    const copies = (await practice.all('Observation')).filter((o) => o.code.coding.some((c) => c.code === 'medical-clearance'));
    check(`${title}: one copy of the clearance at the practice`, copies.length === 1 && copies[0].valueCodeableConcept.coding[0].code === 'cleared', copies.length);
    check(`${title}: the prescription's status at the practice`, (await one(practice, 'MedicationRequest'))[0].status === 'active');
    check(`${title}: the dispense's status at the practice`, (await one(practice, 'MedicationDispense'))[0].status === 'completed');
    const met = (await is('IN-ORDER', 'decided and dispensed')).gates.filter((g) => g.state === 'met').map((g) => g.gate);
    for (const gate of ['identity', 'release', 'referral', 'evaluation', 'clearance', 'prescription', 'medicine', 'instructions']) check(`${title}: gate ${gate} is met`, met.includes(gate), met);

    await arrival(practice, his, Date.now());
    await guard?.long(practice, his, hub);
    await sync();
    await is('READY', 'arrival checks and go-ahead');

    await prescriber.close();
    await wait(limit + 500);
    r = await hub.run(['sync']);
    check(`${title}: a stopped prescriber makes sync exit 3`, r.code === 3, { code: r.code, err: r.err });
    await is('UNKNOWN', 'the prescriber is stopped');
    await prescriber.open();
    await sync(4);
    await is('READY', 'it is back');

    await withdraw(prescriber, theirs);
    guard?.collide(practice);
    await sync();
    await is('HOLD', 'the clearance is withdrawn');
    await prescriber.close();
    await wait(limit + 500);
    await hub.run(['sync']);
    await is('HOLD', 'withdrawn, and the prescriber is stopped again');
    await prescriber.open();
    await sync(7);
    await is('HOLD', 'at the end');

    for (const type of ['Patient', 'ServiceRequest', 'Task', 'Consent', 'MedicationRequest', 'MedicationDispense', 'Observation']) await one(prescriber, type);
    for (const type of ['Patient', 'ServiceRequest', 'Task', 'MedicationRequest', 'MedicationDispense']) await one(practice, type);
    await guard?.judge(practice, prescriber);
    r = await hub.run(['audit', 'verify']);
    check(`${title}: audit verify`, r.code === 0, r.err);
    await nothingLeaks(title, hub, engine, pg, store);
    console.log(`ok  ${title}: ${syncs} syncs, ${kills} killed, ${((Date.now() - began) / 1000).toFixed(0)} s${guard?.told ?? ''}`);
    return kills;
  } finally {
    await practice.stop(); await prescriber.stop(); guard?.stop();
  }
}

// No name, birth date or address in the store's files, its backup, logs, metrics or job arguments.
async function nothingLeaks(title, hub, engine, pg, store) {
  const look = (where, text) => { for (const word of canary) check(`${title}: ${where} holds no client data`, !text.includes(word), word); };
  if (engine === 'sqlite') {
    const b = await hub.run(['backup', '--out', 'copy.backup']);
    check(`${title}: backup`, b.code === 0, b.err);
    for (const f of fs.readdirSync(hub.dir).filter((f) => f.startsWith('kaphub.db') || f.startsWith('copy.backup'))) look(f, fs.readFileSync(path.join(hub.dir, f), 'latin1'));
  }
  const yaml = path.join(hub.dir, 'kaphub.yaml'), port = 20000 + Math.floor(Math.random() * 20000);
  fs.writeFileSync(yaml, fs.readFileSync(yaml, 'utf8').replace('127.0.0.1:0', `127.0.0.1:${port}`));
  const serving = hub.run(['serve'], { killAfter: 4000 });
  let metrics = '';
  for (let i = 0; i < 30 && !metrics; i++) { await wait(100); metrics = await fetch(`http://127.0.0.1:${port}/metrics`).then((r) => r.text(), () => ''); }
  check(`${title}: /metrics answers`, metrics.includes('kaphub_'), metrics.slice(0, 200));
  const set = await fetch(`http://127.0.0.1:${port}/.well-known/jwks/skylight.json`).then((r) => r.ok ? r.json() : { keys: [] });
  check(`${title}: the key set is published, public halves only`, Array.isArray(set.keys) && set.keys.every((k) => k.kid && !('d' in k)) && (set.keys.length > 0) === title.includes('smart'), set);
  await wait(1500);
  look('metrics', metrics + await fetch(`http://127.0.0.1:${port}/metrics`).then((r) => r.text(), () => ''));
  await serving;
  if (engine === 'postgres') look('job arguments and history', pg.jobs(store.db));
  look('logs', hub.said.join('\n'));
}

const engines = ['sqlite', 'postgres'].filter((e) => !process.argv.some((a) => ['sqlite', 'postgres'].includes(a)) || process.argv.includes(e));
const every = ['plain', 'kill', 'drop', 'smart-es384', 'smart-rs384', 'thin'];
const modes = every.filter((m) => !process.argv.some((a) => every.includes(a)) || process.argv.includes(m));
const pg = engines.includes('postgres') ? postgres() : undefined;
try {
  const asked = process.argv.some((a) => every.includes(a));
  if (modes.includes('thin')) for (const as of ['Observation', 'DiagnosticReport']) await thin(bin, root, config, as);
  for (const engine of engines) for (const mode of modes.filter((m) => m !== 'thin')) {
    if (!asked && { 'smart-es384': 'postgres', 'smart-rs384': 'sqlite' }[mode] === engine) continue; // one engine each does
    const kills = await tell(engine, mode, pg);
    if (mode === 'kill') check(`${engine}: at least 50 runs were killed`, kills >= 50, kills);
  }
  console.log('all well');
} catch (e) {
  console.error(`FAILED ${e.message}`);
  process.exitCode = 1;
} finally {
  pg?.stop();
  if (!process.exitCode) fs.rmSync(root, { recursive: true, force: true }); else console.error(`left for a look: ${root}`);
}
