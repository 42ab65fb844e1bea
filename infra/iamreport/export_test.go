package iamreport

var Parse = parse
