package fhir

// Code systems of the default watch list.
const (
	SystemICD10  = "http://hl7.org/fhir/sid/icd-10-cm"
	SystemSNOMED = "http://snomed.info/sct"
)

// DefaultWatchList is the watch list where the practice writes none. Its rows are what prescribers and studies publish as
// cautions, and they disagree: none is a contraindication of ours. Sources: Reverie's own cautions; Journey Clinical,
// "Eligibility for KAP"; Hull et al.; the esketamine label; Innerwell on sedatives and stimulants. What some of them name
// and a practice like this one treats (suicidal thoughts, bipolar depression, substance use) is left to the practice.
func DefaultWatchList() WatchList {
	inConditions := func(severity, words string, codes ...Code) (rows WatchList) {
		for _, c := range codes {
			rows = append(rows, Watched{Code: c, Words: words, Severity: severity, In: []string{"Condition"}})
		}
		return rows
	}
	icd := func(code string) Code { return Code{SystemICD10, code} }
	sct := func(code string) Code { return Code{SystemSNOMED, code} }
	var list WatchList
	for _, rows := range []WatchList{
		inConditions("S1", "pregnancy", icd("Z33.1"), icd("Z32.01"), sct("77386006")),
		inConditions("S1", "a hypertensive crisis", icd("I16.0"), icd("I16.1"), icd("I16.9"), sct("706882009")),
		inConditions("S2", "high blood pressure", icd("I10"), icd("I1A.0"), sct("38341003"), sct("59621000")),
		inConditions("S1", "a heart attack", icd("I21.9"), sct("22298006")),
		inConditions("S2", "heart failure", icd("I50.9"), sct("84114007")),
		inConditions("S1", "an aneurysm or a malformed vessel", icd("I71.9"), icd("I67.1"), icd("Q28.2"), sct("67362008")),
		inConditions("S1", "a bleeding in the head", icd("I60.9"), icd("I61.9"), icd("I62.9"), sct("274100004")),
		inConditions("S1", "psychosis", icd("F20.9"), icd("F23"), icd("F25.9"), icd("F28"), icd("F29"), sct("69322001"), sct("58214004")),
		inConditions("S1", "mania", icd("F30.9"), icd("F31.10"), icd("F31.2"), icd("F31.60"), sct("231494001")),
		inConditions("S1", "a suicide attempt", icd("T14.91XA"), sct("82313006")),
		inConditions("S2", "glaucoma", icd("H40.9"), sct("23986001")),
		inConditions("S2", "a severe breathing problem", icd("J44.9"), icd("J96.10"), sct("13645005")),
		inConditions("S1", "an allergy to an anaesthetic", icd("Z88.4")),
		inConditions("S2", "a liver disease", icd("K76.9"), sct("235856003")),
		inConditions("S2", "cystitis", icd("N30.90"), sct("38822007")),
		inConditions("S2", "an overactive thyroid", icd("E05.90"), sct("34486009")),
	} {
		list = append(list, rows...)
	}
	for _, m := range []struct{ code, words string }{
		{"596", "alprazolam"}, {"2598", "clonazepam"}, {"3322", "diazepam"}, {"6470", "lorazepam"}, // sedatives
		{"725", "amphetamine"}, {"6901", "methylphenidate"}, // stimulants
	} {
		list = append(list, Watched{Code: Code{SystemRxNorm, m.code}, Words: m.words, Severity: "S2", In: []string{"MedicationStatement"}})
	}
	notPregnant := []Code{{SystemSNOMED, "60001007"}, {SystemLOINC, "LA26683-5"}, {SystemSNOMED, "260385009"}, {SystemLOINC, "LA6577-6"}}
	return append(list,
		Watched{Code: Code{SystemLOINC, "82810-3"}, Words: "a pregnancy status other than not pregnant", Severity: "S1", In: []string{"Observation"}, Unless: notPregnant},
		Watched{Code: Code{SystemLOINC, "2106-3"}, Words: "a pregnancy test that is not negative", Severity: "S1", In: []string{"Observation"}, Unless: notPregnant},
		Watched{Code: Code{SystemActCode, "EMER"}, Words: "a visit to an emergency department", Severity: "S2", In: []string{"Encounter"}},
	)
}
