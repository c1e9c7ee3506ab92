// Package broken does not compile.
package broken

import "github.com/stator-go/stator/fsm"

var next fsm.State = "three"
