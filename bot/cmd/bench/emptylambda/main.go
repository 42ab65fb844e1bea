// Emptylambda is the least that a Go Lambda can be: what the cold start of
// Sekisho's is measured against.
package main

import "github.com/aws/aws-lambda-go/lambda"

func main() {
	lambda.Start(func() error { return nil })
}
