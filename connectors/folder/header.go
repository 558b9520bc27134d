package folder

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Taken is a column of a file whose header calls it otherwise than the hub does.
type Taken struct{ Wrote, As string }

// heading is a file's first line, understood.
type heading struct {
	names []string // what each column is; "" = it is left out
	taken []Taken
	left  []string // the words above what is left out
}

// rosterWords are other words that programs write above a roster's columns, bare.
var rosterWords = map[string][]string{
	"id":                 strings.Fields("clientid patientid mrn clientnumber patientnumber chartnumber recordnumber medicalrecordnumber number"),
	"family":             strings.Fields("lastname surname familyname legallastname last"),
	"given":              strings.Fields("firstname givenname givennames legalfirstname first"),
	"birth_date":         strings.Fields("dob dateofbirth birthday born"),
	"chosen_name":        strings.Fields("preferredname chosen preferred nickname goesby nameused calledname"),
	"pronouns":           strings.Fields("pronoun clientpronouns preferredpronouns"),
	"phone":              strings.Fields("mobile cell cellphone mobilephone phonenumber mobilenumber cellnumber telephone primaryphone homephone"),
	"email":              strings.Fields("emailaddress mail primaryemail"),
	"address":            strings.Fields("street streetaddress address1 addressline1 homeaddress"),
	"city":               strings.Fields("town"),
	"state":              strings.Fields("stateprovince"),
	"postal_code":        strings.Fields("zip zipcode postcode zippostalcode"),
	"contact_preference": strings.Fields("preferredcontact contactmethod preferredcontactmethod"),
	"prescriber":         strings.Fields("referredto"),
	"referred_on":        strings.Fields("referraldate dateofreferral referred datereferred"),
	"therapist":          strings.Fields("provider clinician counselor primarytherapist primaryclinician primaryprovider assignedtherapist assignedclinician assignedprovider therapistname providername clinicianname"),
	"therapist_npi":      strings.Fields("providernpi cliniciannpi npi"),
}

// bare is a header's word without what people write differently: case, blanks, underscores, hyphens.
func bare(word string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, word)
}

// meant is which column a header's word means: own when it is the column's own name. "" = none that is known.
func meant(word string, columns []column, words map[string][]string) (name string, own bool) {
	is := bare(word)
	for _, c := range columns {
		if bare(c.name) == is {
			return c.name, true
		}
	}
	for _, c := range columns {
		if slices.Contains(words[c.name], is) {
			return c.name, false
		}
	}
	return "", false
}

// readHeader finds which column stands where. Unless what is not known may be left out, it is refused, and told by its place:
// where a header is missing, it is somebody's name. Of two that mean the same, the one with the column's own name holds, else the first.
func readHeader(first []string, columns []column, words map[string][]string, leave bool) (heading, error) {
	h := heading{names: make([]string, len(first))}
	var wrong []string
	owned := map[string]bool{}
	for _, word := range first {
		if name, own := meant(word, columns, words); own {
			owned[name] = true
		}
	}
	for i, word := range first {
		name, own := meant(word, columns, words)
		switch {
		case name != "" && !slices.Contains(h.names, name) && own == owned[name]:
			h.names[i] = name
			if !own {
				h.taken = append(h.taken, Taken{strings.TrimSpace(word), name})
			}
		case own:
			wrong = append(wrong, "column "+name+" stands there twice")
		case leave:
			if strings.TrimSpace(word) == "" {
				word = fmt.Sprintf("column %d, which has no name", i+1)
			}
			h.left = append(h.left, strings.TrimSpace(word))
		case name != "":
			wrong = append(wrong, fmt.Sprintf("column %d is %s as well", i+1, name))
		default:
			wrong = append(wrong, fmt.Sprintf("column %d is none of the known ones", i+1))
		}
	}
	for _, c := range columns {
		if c.required && !slices.Contains(h.names, c.name) {
			wrong = append(wrong, "column "+c.name+" is missing")
		}
	}
	if len(first) == 1 && strings.Contains(first[0], ";") {
		wrong = []string{"its columns are parted by semicolons"}
	}
	if len(wrong) > 0 {
		if len(wrong) > 5 {
			wrong = append(wrong[:5], "and more")
		}
		return h, &Unread{Reason: fileHeader, Hint: strings.Join(wrong, "; ") + "; write, parted by commas, some of: " + header(columns), Header: first}
	}
	return h, nil
}
