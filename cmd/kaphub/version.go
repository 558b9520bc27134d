package main

import (
	"runtime/debug"
)

type versionCommand struct{}

// Run says which build this is.
func (c *versionCommand) Run(s *scene) error {
	s.printf("kaphub %s\n", version())
	return nil
}

func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	text := info.Main.Version
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			text += " " + setting.Value[:min(12, len(setting.Value))]
		}
	}
	return text + " " + info.GoVersion
}
