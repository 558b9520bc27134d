// make mail, or .ci/mail/run: see run. Every mail is read back from maildev; what does not hold ends the run.
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { execFileSync, spawn, spawnSync } from 'node:child_process';

const bin = path.resolve(import.meta.dirname, '../../kaphub');
const root = fs.mkdtempSync(path.join(os.tmpdir(), 'kaphub-mail-'));
const wait = (ms) => new Promise((r) => setTimeout(r, ms));
const children = [];
const fail = (why) => { throw new Error(why); };
const check = (holds, what, more = '') => { if (!holds) fail(`${what}\n${more}`); console.log(`  ${what}`); };
const freePort = () => new Promise((r) => { const s = net.createServer().listen(0, '127.0.0.1', () => { const { port } = s.address(); s.close(() => r(port)); }); });

// a mail server; secure, it speaks TLS from the first byte. It never offers STARTTLS.
async function maildev({ port, web, secure }) {
  const args = ['-s', port, '-w', web, '--ip', '127.0.0.1', '--web-ip', '127.0.0.1', '--incoming-user', 'hub', '--incoming-pass', 'hunter2', '--silent'];
  if (secure) args.push('--incoming-secure', '--incoming-cert', `${root}/cert.pem`, '--incoming-key', `${root}/key.pem`);
  const child = spawn(process.execPath, [path.resolve(import.meta.dirname, 'node_modules/maildev/dist/bin/maildev.js'), ...args.map(String)], { stdio: 'ignore' });
  children.push(child);
  for (let i = 0; ; i++) {
    try { await (await fetch(`http://127.0.0.1:${web}/api/email`)).json(); break; } catch { if (i > 200) fail('maildev did not start'); await wait(100); }
  }
  return {
    mails: async () => (await fetch(`http://127.0.0.1:${web}/api/email`)).json(),
    source: async (id) => (await fetch(`http://127.0.0.1:${web}/api/email/${id}/source`)).text(),
    stop: () => new Promise((r) => { child.once('exit', r); child.kill('SIGKILL'); }),
  };
}

const people = ['Juniper', 'Sample', 'JUN-0101', 'K-7QX4', '1988-02-29', 'ECG'];

// a hub of a practice with a calendar and a spreadsheet, whose mail goes to a port.
function hub(name, smtp) {
  const dir = path.join(root, name);
  fs.mkdirSync(path.join(dir, 'secrets'), { recursive: true, mode: 0o700 });
  const write = (file, text) => fs.writeFileSync(path.join(dir, file), text, { mode: 0o600 });
  const run = (...args) => { const r = spawnSync(bin, args, { cwd: dir, encoding: 'utf8' }); return { code: r.status, text: r.stdout + r.stderr }; };
  const must = (...args) => { const r = run(...args); if (![0, 3].includes(r.code)) fail(`kaphub ${args.join(' ')} exits ${r.code}\n${r.text}`); return r.text; };
  must('init', '--preset', 'skylight');
  write('secrets/smtp', 'hunter2\n');
  write('calendar.ics', 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n');
  write('roster.csv', 'id,family,given,birth_date,chosen_name,calendar_token,referred_on\nJUN-0101,Sample,June,1988-02-29,Juniper,K-7QX4,' + new Date(Date.now() - 2 * 86_400_000).toISOString().slice(0, 10) + '\n');
  const config = (digest) => write('kaphub.yaml', `hub: {name: Reverie, time_zone: America/Denver, listen: "127.0.0.1:0", public_url: "https://hub.reverie.example"}
store: {dsn: kaphub.db, key_file: kaphub.key}
practice:
  title: Reverie
  connectors: [{name: calendar, kind: ical, file: calendar.ics, kinds: [{match: '(?i)dosing', kind: dosing}]}]
prescribers:
  - name: skylight
    title: Skylight Psychedelics
    identifiers: [{system: "http://hl7.org/fhir/sid/us-npi", value: "1234567893"}]
schedules: {sync: "*/15 6-20 * * *"}
notices:
  smtp: {host: 127.0.0.1, ${smtp}, user: hub, password_file: secrets/smtp}
  from: Reverie <kaphub@reverie.example>
  digest: "${digest}"
  people:
    - {name: maya, email: maya@reverie.example, roles: [admin, operator, privacy officer]}
    - {name: tara, email: tara@reverie.example, roles: [therapist]}
`);
  config('0 7 * * *');
  must('import', 'roster.csv');
  must('record', 'read-through', '--by', 'Maya');
  must('sync');
  return { dir, run, must, config, stop: () => must('record', 'stop', 'juniper', '--said', 'prescriber', '--from', 'Dr. Vale', '--medium', 'phone', '--why', 'an ECG result of today', '--by', 'Tara') };
}

async function leg(name, smtp, options) {
  console.log(`${name}:`);
  const port = await freePort(), web = await freePort();
  let server = await maildev({ port, web, ...options });
  const h = hub(name.replaceAll(' ', '-'), `port: ${port}, ${smtp}`);
  check(/works +notices .*lets the hub in/.test(h.must('check')), 'check reaches the server and logs in');
  h.must('notices', 'test', 'maya');
  check((await server.mails()).some((m) => m.subject === 'kaphub: a test'), 'a test arrives');

  await server.stop();
  h.stop();
  const away = h.run('sync');
  check(away.code === 3 && /the mail server cannot be reached/.test(away.text) && /waiting until/.test(h.must('notices', '--person', 'tara')), 'while the server is away, sync says so and the mail waits', away.text);
  server = await maildev({ port, web, ...options });
  const serve = spawn(bin, ['serve'], { cwd: h.dir, stdio: 'ignore' });
  children.push(serve);
  for (let i = 0; (await server.mails()).length === 0; i++) { if (i > 1800) fail('it was not tried again'); await wait(100); }
  serve.kill('SIGTERM');
  await new Promise((r) => serve.once('exit', r));
  h.must('sync');
  let mails = await server.mails();
  check(mails.length === 1 && mails[0].to[0].address === 'tara@reverie.example' && /^kaphub \w{3} \d+ \w{3} \d\d:\d\d: 1 to act on now$/.test(mails[0].subject), 'when it is back, serve tells the therapist of the stop, once', JSON.stringify(mails, null, 1));
  h.must('run', 'digest');
  h.must('run', 'digest');
  mails = await server.mails();
  const digests = mails.filter((m) => /^kaphub \w{3} \d+ \w{3}: \d+ to act on/.test(m.subject));
  check(digests.length === 2 && new Set(digests.map((m) => m.to[0].address)).size === 2, 'a digest each, and one a day', JSON.stringify(mails.map((m) => m.subject)));
  for (const m of mails) {
    const source = await server.source(m.id);
    for (const word of people) if (source.includes(word) || m.text.includes(word)) fail(`a mail tells ${word}:\n${source}`);
    if (!/^Auto-Submitted: auto-generated\r?$/m.test(source) || !/^Message-ID: <[a-z]+-(maya|tara)-[0-9-]+\.kaphub@hub\.reverie\.example>\r?$/m.test(source) || !/^List-Id: /m.test(source) || m.html) fail(`its headers are\n${source}`);
  }
  check(true, `${mails.length} mails with their headers, and nothing of any client in them`);

  check(/the audit log holds/i.test(h.must('audit', 'verify')), 'the audit log holds');
  console.log(h.must('notices').replace(/^/gm, '    '));
  await server.stop();
  return h;
}

try {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=mail', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', `${root}/key.pem`, '-out', `${root}/cert.pem`], { stdio: 'ignore' });
  await leg('plain', 'tls: none', {});
  await leg('tls', `tls: tls, ca_file: ${root}/cert.pem`, { secure: true });

  console.log('without the STARTTLS that is asked for:');
  const port = await freePort(), web = await freePort();
  const server = await maildev({ port, web });
  const open = hub('open', `port: ${port}, tls: starttls`);
  check(open.run('check').code === 1 && /does not offer what is asked of it/.test(open.run('check').text), 'check says so');
  check(open.run('notices', 'test', 'maya').code === 1 && (await server.mails()).length === 0, 'and nothing is sent');

  console.log('by the schedule:');
  const h = hub('schedule', `port: ${port}, tls: none`);
  h.config('* * * * *');
  const serve = spawn(bin, ['serve'], { cwd: h.dir, stdio: 'ignore' });
  children.push(serve);
  await wait(165_000);
  serve.kill('SIGTERM');
  await new Promise((r) => serve.once('exit', r));
  const digests = (await server.mails()).filter((m) => / to act on(, \d+ now)?$/.test(m.subject));
  check(digests.length === 2, 'asked for every minute, a digest a person a day', JSON.stringify(digests.map((m) => m.subject)));
  await server.stop();
  console.log('notices hold against maildev');
} catch (e) {
  console.error(`FAILED: ${e.message}`);
  process.exitCode = 1;
} finally {
  for (const c of children) c.kill('SIGKILL');
  fs.rmSync(root, { recursive: true, force: true });
}
