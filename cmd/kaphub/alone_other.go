//go:build !unix

package main

import "github.com/kaphub/kaphub/config"

// alone cannot tell here whether another serves the store. Two that do share its work without harm.
func alone(*config.Config) (leave func(), err error) { return func() {}, nil }
