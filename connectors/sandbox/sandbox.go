// Package sandbox owns a practice and a prescriber to practise with: in-memory FHIR R4 servers with dialects and
// faults on request, and a world of invented clients whose lives go on.
package sandbox
