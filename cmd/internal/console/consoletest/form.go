// Package consoletest reads the console's pages in tests as a browser without scripts does: which form is there, and with what
// it is sent when nobody writes anything.
package consoletest

import (
	"html"
	"net/url"
	"regexp"
	"strings"
)

var (
	form     = regexp.MustCompile(`(?s)<form\b[^>]*>.*?</form>`)
	input    = regexp.MustCompile(`(?s)<input\b[^>]*>|<textarea\b[^>]*>[^<]*`)
	attr     = regexp.MustCompile(`\b(type|name|value|action)="([^"]*)"`)
	opening  = regexp.MustCompile(`(?s)^<[^>]*>`)
	selected = regexp.MustCompile(`\schecked\b`)
)

// Form returns the form of a page whose opening tag holds mark, where it is sent ("" = to the page itself) and with what.
func Form(page, mark string) (action string, values url.Values, ok bool) {
	for _, text := range form.FindAllString(page, -1) {
		tag := opening.FindString(text)
		if !strings.Contains(tag, mark) {
			continue
		}
		values = url.Values{}
		for _, one := range input.FindAllString(text, -1) {
			is := attributes(opening.FindString(one))
			switch {
			case (is["type"] == "radio" || is["type"] == "checkbox") && !selected.MatchString(one):
			case strings.HasPrefix(one, "<textarea"):
				values.Add(is["name"], html.UnescapeString(opening.ReplaceAllString(one, "")))
			default:
				values.Add(is["name"], is["value"])
			}
		}
		return attributes(tag)["action"], values, true
	}
	return "", nil, false
}

func attributes(tag string) map[string]string {
	is := map[string]string{}
	for _, a := range attr.FindAllStringSubmatch(tag, -1) {
		is[a[1]] = html.UnescapeString(a[2])
	}
	return is
}
