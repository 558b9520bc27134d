// One client's way from release to a withdrawn clearance, told to two servers that know nothing of kaphub.
import { createHash } from 'node:crypto';

const kap = 'https://kaphub.example/fhir/CodeSystem/kap', session = 'https://kaphub.example/fhir/CodeSystem/kap-session';
export const npi = { system: 'http://hl7.org/fhir/sid/us-npi', value: '1234567893' };
export const mrn = { system: 'https://reverie.example/mrn', value: 'MRN-7001' };
// Invented, and looked for afterwards wherever they must not stand.
export const canary = ['Quillfeather', 'Marisol', 'Zephyrine', '1987-04-23', '555-0147', 'Larkspur'];

const concept = (system, code) => ({ coding: [{ system, code }] });
const hour = 3600e3, iso = (t) => new Date(t).toISOString();

const sorted = (v) => Array.isArray(v) ? v.map(sorted) : v && typeof v === 'object' ? Object.fromEntries(Object.keys(v).sort().map((k) => [k, sorted(v[k])])) : v;
const digest = (dosage) => createHash('sha256').update(JSON.stringify(sorted(dosage))).digest('hex');

export async function referral(practice, now) {
  const patient = await practice.post({ resourceType: 'Patient', identifier: [mrn], birthDate: '1987-04-23', gender: 'female',
    name: [{ use: 'official', family: 'Quillfeather', given: ['Marisol'] }, { use: 'usual', given: ['Zephyrine'], family: 'Quillfeather' }],
    telecom: [{ system: 'phone', value: '555-0147' }], address: [{ line: ['9 Larkspur Way'], city: 'Denver', state: 'CO' }] });
  const ref = { reference: `Patient/${patient.id}` };
  const prescriber = { identifier: npi, display: 'Skylight Psychedelics' };
  const release = await practice.post({ resourceType: 'Consent', status: 'active', scope: concept('http://terminology.hl7.org/CodeSystem/consentscope', 'patient-privacy'),
    category: [concept('http://terminology.hl7.org/CodeSystem/v3-ActCode', 'IDSCL')], patient: ref, dateTime: iso(now - 48 * hour),
    policyRule: concept('http://terminology.hl7.org/CodeSystem/v3-ActCode', 'OPTIN'),
    provision: { type: 'permit', period: { start: iso(now - 48 * hour), end: iso(now + 300 * 24 * hour) }, actor: [{ role: concept('http://terminology.hl7.org/CodeSystem/v3-ParticipationType', 'IRCP'), reference: prescriber }] } });
  await practice.post({ resourceType: 'Consent', status: 'active', scope: concept('http://terminology.hl7.org/CodeSystem/consentscope', 'treatment'),
    category: [concept(kap, 'kap-treatment-consent')], patient: ref, dateTime: iso(now - 48 * hour), policyRule: concept('http://terminology.hl7.org/CodeSystem/v3-ActCode', 'OPTIN') });
  const request = await practice.post({ resourceType: 'ServiceRequest', identifier: [{ type: concept('http://terminology.hl7.org/CodeSystem/v2-0203', 'PLAC'), system: 'https://reverie.example/referral', value: 'REF-7001' }],
    status: 'active', intent: 'order', code: concept(kap, 'kap-evaluation'), subject: ref, authoredOn: iso(now - 47 * hour), performer: [prescriber],
    reasonCode: [{ text: 'depression' }], supportingInfo: [{ reference: `Consent/${release.id}` }], note: [{ text: 'A process note about Larkspur that must never leave.' }] });
  await practice.post({ resourceType: 'Appointment', status: 'fulfilled', serviceType: [concept(session, 'preparation')], start: iso(now - 24 * hour), end: iso(now - 23 * hour), participant: [{ actor: ref, status: 'accepted' }] });
  const dosing = await practice.post({ resourceType: 'Appointment', status: 'booked', serviceType: [concept(session, 'dosing')], start: iso(now + 3 * hour), end: iso(now + 5 * hour), participant: [{ actor: ref, status: 'accepted' }] });
  return { ref, request, release, dosing };
}

// The prescriber's own people: accept, decide, prescribe, dispense.
export async function decision(prescriber, now) {
  const [patient] = await prescriber.all('Patient'), [request] = await prescriber.all('ServiceRequest'), [task] = await prescriber.all('Task');
  const ref = { reference: `Patient/${patient.id}` }, day = (t) => iso(t).slice(0, 10);
  await prescriber.put({ ...task, status: 'accepted', identifier: [...task.identifier, { type: concept('http://terminology.hl7.org/CodeSystem/v2-0203', 'FILL'), system: 'https://skylight.example/task', value: 'FILL-1' }] });
  const dosage = [{ text: 'Dissolve one lozenge under the tongue at the session, as instructed.', route: concept('http://snomed.info/sct', '37839007') }];
  const clearance = await prescriber.post({ resourceType: 'Observation', identifier: [{ system: 'https://skylight.example/clearance', value: 'CLR-1' }], status: 'final', code: concept(kap, 'medical-clearance'), subject: ref,
    basedOn: [{ reference: `ServiceRequest/${request.id}` }], effectivePeriod: { start: day(now - 24 * hour), end: day(now + 60 * 24 * hour) }, issued: iso(now - 2 * hour),
    performer: [{ identifier: npi }], valueCodeableConcept: concept('https://kaphub.example/fhir/CodeSystem/clearance-decision', 'cleared') });
  const rx = await prescriber.post({ resourceType: 'MedicationRequest', identifier: [{ system: 'https://skylight.example/rx', value: 'RX-1' }], status: 'active', intent: 'order',
    medicationCodeableConcept: { coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '6130' }], text: 'ketamine lozenge, sublingual' }, subject: ref, requester: { identifier: npi }, authoredOn: iso(now - 2 * hour), dosageInstruction: dosage,
    dispenseRequest: { numberOfRepeatsAllowed: 0, quantity: { value: 6, unit: 'lozenge' } } });
  await prescriber.post({ resourceType: 'MedicationDispense', identifier: [{ system: 'https://skylight.example/dispense', value: 'D-1' }], status: 'completed', medicationCodeableConcept: rx.medicationCodeableConcept, subject: ref,
    authorizingPrescription: [{ reference: `MedicationRequest/${rx.id}` }], quantity: { value: 6, unit: 'lozenge' }, whenPrepared: iso(now - 90 * 60e3), whenHandedOver: iso(now - hour) });
  return { clearance, rx, dosage };
}

export async function acknowledge(practice, { ref }, { dosage }, now) {
  await practice.post({ resourceType: 'Observation', status: 'final', code: concept(kap, 'instructions-acknowledged'), subject: ref, issued: iso(now), effectiveDateTime: iso(now),
    focus: [{ identifier: { system: 'https://skylight.example/rx', value: 'RX-1' } }], valueString: digest(dosage) });
}

// On the day: what the therapist records, then the second key.
export async function arrival(practice, { ref, dosing }, now) {
  const focus = [{ reference: `Appointment/${dosing.id}` }], loinc = 'http://loinc.org', unit = (value, unit, code) => ({ value, unit, system: 'http://unitsofmeasure.org', code });
  const common = { resourceType: 'Observation', status: 'final', subject: ref, focus, issued: iso(now), effectiveDateTime: iso(now) };
  await practice.post({ ...common, code: concept(loinc, '85354-9'), component: [{ code: concept(loinc, '8480-6'), valueQuantity: unit(118, 'mmHg', 'mm[Hg]') }, { code: concept(loinc, '8462-4'), valueQuantity: unit(76, 'mmHg', 'mm[Hg]') }] });
  await practice.post({ ...common, code: concept(loinc, '8867-4'), valueQuantity: unit(68, 'beats/minute', '/min') });
  for (const [code, value] of [['ride-arranged', true], ['fasting-kept', true], ['location-confirmed', true], ['new-information', false]]) await practice.post({ ...common, code: concept(kap, code), valueBoolean: value });
  await practice.post({ ...common, code: concept(kap, 'therapist-go-ahead'), valueBoolean: true });
}

export async function withdraw(prescriber, { clearance }) {
  await prescriber.put({ ...clearance, issued: iso(Date.now()), status: 'amended', valueCodeableConcept: concept('https://kaphub.example/fhir/CodeSystem/clearance-decision', 'withdrawn') });
}
