// Servers, proxies and requests of an interop run.
import http from 'node:http';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';

const here = import.meta.dirname;

export const listen = async (server, port = 0) => { server.listen(port, '127.0.0.1'); await once(server, 'listening'); return server.address().port; };

export const freePort = async () => { const s = http.createServer(); const port = await listen(s); s.close(); await once(s, 'close'); return port; };

// An independent FHIR server in a process of its own, behind a proxy that can be closed, slowed or made to swallow replies,
// and that keeps what the hub wrote. authority, if any, guards the server.
export class Peer {
  static async start(name, authority) {
    const p = new Peer(); p.name = name; p.inner = await freePort(); p.drop = 0; p.replies = 0; p.delay = 0; p.authority = authority;
    p.written = []; p.statuses = {}; p.searches = {};
    p.child = spawn(process.execPath, [path.join(here, 'work/fhir-server.mjs'), String(p.inner), ...(authority ? [`${authority.issuer}/jwks`, authority.issuer] : [])], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((ok, no) => { p.child.stdout.once('data', ok); p.child.once('exit', () => no(new Error(`${name} did not start`))); });
    p.port = await freePort();
    await p.open();
    return p;
  }
  async open() {
    this.proxy = http.createServer(async (q, w) => {
      const sent = []; for await (const c of q) sent.push(c);
      const body = Buffer.concat(sent);
      if (this.delay) await new Promise((r) => setTimeout(r, this.delay));
      if (this.before) await this.before(q, body);
      const up = http.request({ host: '127.0.0.1', port: this.inner, method: q.method, path: q.url, headers: q.headers }, (r) => {
        const chunks = []; r.on('data', (c) => chunks.push(c));
        r.on('end', () => { // the server has committed by now
          this.statuses[r.statusCode] = (this.statuses[r.statusCode] ?? 0) + 1;
          if (q.method === 'GET') { const type = q.url.match(/^\/(\w+)\?/)?.[1]; this.searches[type] = (this.searches[type] ?? 0) + 1; }
          if (q.method === 'POST' || q.method === 'PUT') this.written.push({ method: q.method, url: q.url, headers: q.headers, status: r.statusCode, body: JSON.parse(body) });
          if (this.drop && ++this.replies % this.drop === 0) return q.socket.destroy();
          w.writeHead(r.statusCode, r.headers); w.end(Buffer.concat(chunks));
        });
      });
      up.on('error', () => q.socket.destroy());
      up.end(body);
    });
    await listen(this.proxy, this.port);
  }
  async close() { this.proxy.closeAllConnections(); this.proxy.close(); await once(this.proxy, 'close'); }
  async stop() { await this.close().catch(() => {}); this.child.kill('SIGKILL'); }
  get url() { return `http://127.0.0.1:${this.port}`; }

  // What the people at this side do themselves goes straight to their own server, past the proxy.
  async request(method, at, body) {
    const r = await fetch(`http://127.0.0.1:${this.inner}/${at}`, { method, headers: { 'content-type': 'application/fhir+json', ...(this.authority && { authorization: `Bearer ${await this.authority.token()}` }) }, body: body && JSON.stringify(body) });
    const text = await r.text();
    if (!r.ok) throw new Error(`${this.name} ${method} ${at.split('?')[0]}: ${r.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  }
  post(resource) { return this.request('POST', resource.resourceType, resource); }
  put(resource) { return this.request('PUT', `${resource.resourceType}/${resource.id}`, resource); }
  async all(type) { return ((await this.request('GET', `${type}?_count=1000`)).entry ?? []).map((e) => e.resource); }
}

export const fail = (what) => { throw new Error(what); };
export const check = (what, ok, saw) => { if (!ok) fail(`${what}${saw === undefined ? '' : `: saw ${JSON.stringify(saw)}`}`); };

// One kaphub with its own directory and config.
export class Hub {
  constructor(dir, bin, env = {}) { this.dir = dir; this.bin = bin; this.env = env; this.said = []; fs.mkdirSync(dir, { recursive: true }); }
  // Runs kaphub; killAfter ms ends it with SIGKILL. Returns {code, signal, out, err, ms}.
  async run(args, { killAfter } = {}) {
    const began = performance.now();
    const child = spawn(this.bin, ['--log=debug', ...args], { cwd: this.dir, env: { PATH: process.env.PATH, HOME: this.dir, ...this.env }, stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '', err = '';
    child.stdout.on('data', (d) => { out += d; }); child.stderr.on('data', (d) => { err += d; });
    const timer = killAfter === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), killAfter);
    const [code, signal] = await once(child, 'close');
    clearTimeout(timer);
    this.said.push(err); if (args[0] === 'sync') this.said.push(out);
    return { code, signal, out, err, ms: performance.now() - began };
  }
  async board() {
    const r = await this.run(['status', '--json']);
    check('status --json exits 0 or 3', r.code === 0 || r.code === 3, { code: r.code, err: r.err });
    return JSON.parse(r.out);
  }
}
