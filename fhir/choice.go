package fhir

// dataTypes are the types a choice[x] can end in.
var dataTypes = map[string]bool{
	"Base64Binary": true, "Boolean": true, "Canonical": true, "Code": true, "Date": true, "DateTime": true,
	"Decimal": true, "Id": true, "Instant": true, "Integer": true, "Markdown": true, "Oid": true, "PositiveInt": true,
	"String": true, "Time": true, "UnsignedInt": true, "Uri": true, "Url": true, "Uuid": true,
	"Address": true, "Age": true, "Annotation": true, "Attachment": true, "CodeableConcept": true, "Coding": true,
	"ContactPoint": true, "Count": true, "Distance": true, "Duration": true, "HumanName": true, "Identifier": true,
	"Money": true, "Period": true, "Quantity": true, "Range": true, "Ratio": true, "Reference": true,
	"SampledData": true, "Signature": true, "Timing": true, "ContactDetail": true, "Contributor": true,
	"DataRequirement": true, "Expression": true, "ParameterDefinition": true, "RelatedArtifact": true,
	"TriggerDefinition": true, "UsageContext": true, "Dosage": true, "Meta": true,
}

// both are names that FHIR R4 spells like a choice and lets stand together:
// CarePlan.activity has an outcomeCodeableConcept and an outcomeReference.
var both = map[string]bool{
	"instantiates": true, "definition": true, "outcome": true, "prognosis": true, "payment": true,
	"referenceSeq": true, "compareToSource": true,
}

// codes are the choices that can end in a code; elsewhere reasonCode and reasonReference are two elements.
var codes = map[string]bool{"value": true, "defaultValue": true, "fixed": true, "pattern": true}

// choiceOf returns the name of the choice[x] that key makes, "value" for "valueDateTime", or nothing when it makes none.
func choiceOf(key []byte) []byte {
	for i := 1; i < len(key); i++ {
		if c := key[i]; c < 'A' || c > 'Z' || !dataTypes[string(key[i:])] {
			continue
		}
		name := key[:i]
		if both[string(name)] || string(key[i:]) == "Code" && !codes[string(name)] {
			return nil
		}
		return name
	}
	return nil
}
