module github.com/stator-go/stator

go 1.26

require golang.org/x/sys v0.44.0

require github.com/cespare/xxhash/v2 v2.3.0
