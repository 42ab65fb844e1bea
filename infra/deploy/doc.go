// Package deploy is what runs Sekisho on AWS, as text: template.yaml for
// Lambda, fargate.yaml for ECS, the policies that prevent what the gate would
// otherwise end, a dashboard, and the image. Its tests hold all of it against
// the code, so that neither changes without the other.
package deploy
