// Package db is the store's SQL, one text for both engines, as sqlc made it into Go.
package db
