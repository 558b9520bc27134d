// A prescriber that offers what US Core demands and not more: an independent FHIR server behind a filter. No Task, no Consent,
// no ServiceRequest, no MedicationDispense, no _lastUpdated, every search for one patient, nothing can be written.
import http from 'node:http';
import fs from 'node:fs';
import path from 'node:path';
import { Hub, Peer, check, listen } from './world.mjs';
import { acknowledge, mrn, npi, referral } from './story.mjs';

const offered = ['Patient', 'Observation', 'DiagnosticReport', 'MedicationRequest', 'Practitioner', 'PractitionerRole', 'Organization', 'Medication'];
const search = { Patient: ['_id', 'identifier'], Observation: ['patient', 'category', 'code'], DiagnosticReport: ['patient', 'category', 'code'], MedicationRequest: ['patient', 'intent', 'status'] };
const statement = { resourceType: 'CapabilityStatement', status: 'active', date: '2026-01-01', kind: 'instance', fhirVersion: '4.0.1', format: ['json'], software: { name: 'Thin EHR' },
  rest: [{ mode: 'server', resource: offered.map((type) => ({ type, interaction: [{ code: 'read' }, { code: 'search-type' }], searchParam: (search[type] ?? ['identifier']).map((name) => ({ name, type: 'token' })) })) }] };

const refused = (w, status, code) => { w.writeHead(status, { 'content-type': 'application/fhir+json' }); w.end(JSON.stringify({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code }] })); };

function filter(peer) {
  const asked = [];
  const server = http.createServer((q, w) => {
    const u = new URL(q.url, 'http://x'), type = u.pathname.split('/')[1], names = [...u.searchParams.keys()];
    asked.push(`${q.method} ${type}`);
    if (type === 'metadata') { w.writeHead(200, { 'content-type': 'application/fhir+json' }); return w.end(JSON.stringify(statement)); }
    if (!offered.includes(type)) return refused(w, 404, 'not-supported');
    if (q.method !== 'GET') return refused(w, 405, 'not-supported');
    if (names.some((n) => n === '_lastUpdated' || n === '_sort')) return refused(w, 400, 'not-supported');
    if (u.pathname === `/${type}` && search[type] && !names.some((n) => ['patient', '_id', 'identifier'].includes(n))) return refused(w, 400, 'required');
    const up = http.request({ host: '127.0.0.1', port: peer.inner, method: 'GET', path: q.url, headers: { ...q.headers, 'accept-encoding': 'identity' } }, (r) => { w.writeHead(r.statusCode, r.headers); r.pipe(w); });
    up.on('error', () => q.socket.destroy()); up.end();
  });
  return { server, asked };
}

// thin tells one client's way up to the cleared and prescribed referral; as is how the decision is written: Observation or DiagnosticReport.
export async function thin(bin, root, config, as) {
  const title = `thin, ${as}`, began = Date.now(), now = Date.now(), concept = (system, code) => ({ coding: [{ system, code }] });
  const practice = await Peer.start('practice'), inner = await Peer.start('prescriber'), { server, asked } = filter(inner);
  const url = `http://127.0.0.1:${await listen(server)}`, hub = new Hub(path.join(root, `thin-${as}`), bin);
  try {
    await hub.run(['init']);
    fs.writeFileSync(path.join(hub.dir, 'kaphub.yaml'), config('kaphub.db', practice, { url }, () => 'auth: {kind: none}'));
    const report = JSON.parse((await hub.run(['check', '--json'])).out), side = report.counterparts.find((c) => c.name === 'skylight');
    check(`${title}: check says how it is read`, report.well && side.mode === 'client by client', side);
    for (const [list, about] of [['degrades', 'Task'], ['degrades', 'MedicationDispense'], ['impossible', 'ServiceRequest sent'], ['degrades', 'changes']]) check(`${title}: check says that ${about} ${list}`, side[list].some((l) => l.about === about && l.instead), side[list]);

    const his = await referral(practice, now);
    let r = await hub.run(['sync']);
    check(`${title}: nobody there yet, and nothing can be written: a person is told`, r.code === 3, { code: r.code, out: r.out, err: r.err });
    check(`${title}: nothing was tried that cannot be written`, !asked.some((a) => !a.startsWith('GET')), asked);

    const patient = await inner.post({ resourceType: 'Patient', identifier: [mrn], birthDate: '1987-04-23', name: [{ family: 'Quillfeather', given: ['Marisol'] }] }); // the packet was handed over: they register the client
    const ref = { reference: `Patient/${patient.id}` }, cleared = concept('https://kaphub.example/fhir/CodeSystem/clearance-decision', 'cleared'), iso = (t) => new Date(t).toISOString();
    const decided = { status: 'final', code: concept('https://kaphub.example/fhir/CodeSystem/kap', 'medical-clearance'), subject: ref, issued: iso(now - 3600e3), performer: [{ identifier: npi }],
      effectivePeriod: { start: iso(now - 24 * 3600e3).slice(0, 10), end: iso(now + 60 * 24 * 3600e3).slice(0, 10) } };
    await inner.post(as === 'Observation' ? { resourceType: as, ...decided, valueCodeableConcept: cleared } : { resourceType: as, ...decided, conclusionCode: [cleared] });
    const dosage = [{ text: 'Dissolve one lozenge under the tongue at the session.', route: concept('http://snomed.info/sct', '37839007') }];
    await inner.post({ resourceType: 'MedicationRequest', identifier: [{ system: 'https://skylight.example/rx', value: 'RX-1' }], status: 'active', intent: 'order', subject: ref, requester: { identifier: npi }, authoredOn: iso(now - 3600e3),
      medicationCodeableConcept: { coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '6130' }] }, dosageInstruction: dosage, dispenseRequest: { quantity: { value: 6, unit: 'lozenge' } } });
    await acknowledge(practice, his, { dosage }, Date.now());
    for (let i = 0; i < 2; i++) r = await hub.run(['sync']);
    const [client] = (await hub.board()).clients, is = Object.fromEntries(client.gates.map((g) => [g.gate, g]));
    for (const gate of ['identity', 'release', 'referral', 'evaluation', 'clearance', 'prescription', 'instructions']) check(`${title}: gate ${gate} is met`, is[gate].state === 'met', is[gate]);
    check(`${title}: whether the medicine is there is unknown, and the label check is asked for`, client.state === 'UNKNOWN' && is.medicine.state === 'unknown' && is.medicine.next.includes('label check'), { state: client.state, medicine: is.medicine });
    check(`${title}: still nothing was tried that cannot be written`, !asked.some((a) => !a.startsWith('GET')), asked);
    console.log(`ok  ${title}: ${asked.length} requests, ${((Date.now() - began) / 1000).toFixed(0)} s`);
  } finally {
    server.closeAllConnections(); server.close(); await practice.stop(); await inner.stop();
  }
}
