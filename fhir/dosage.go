package fhir

import (
	"crypto/sha256"
	"encoding/hex"
)

// DosageDigest is the hex SHA-256 of the canonical JSON of a MedicationRequest's dosageInstruction array
// ("[]" when there is none): what the therapist acknowledges.
func DosageDigest(r Resource) string {
	t, reason := open(r.Body)
	defer t.close()
	if reason == "" {
		if i := t.child(0, "dosageInstruction"); i >= 0 {
			return t.hash(i)
		}
	}
	sum := sha256.Sum256([]byte("[]"))
	return hex.EncodeToString(sum[:])
}
