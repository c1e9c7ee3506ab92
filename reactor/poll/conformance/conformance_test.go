package conformance_test

import (
	"testing"

	"github.com/stator-go/stator/reactor/poll"
	"github.com/stator-go/stator/reactor/poll/conformance"
)

func TestBackends(t *testing.T) {
	var reports []conformance.Report
	for _, name := range poll.Backends() {
		t.Run(name, func(t *testing.T) {
			reports = append(reports, conformance.Run(t, conformance.Backend{
				Name: name,
				New:  func() (conformance.System, error) { return conformance.OverPoller(name) },
			}))
		})
	}
	t.Log("\n" + conformance.Table(reports...))
}
