package awssim

import (
	"strconv"
	"strings"
)

// The two answers that show whole instances: DescribeInstances and RunInstances.

// maxLaunch bounds one RunInstances; EC2's own bound is an account's quota.
const maxLaunch = 20

type describeAnswer struct {
	answerID
	Reservations []reservationXML `xml:"reservationSet>item"`
	NextToken    string           `xml:"nextToken,omitempty"`
}

type runAnswer struct {
	answerID
	reservationXML
}

// imageID is the image of every instance: nothing here depends on it.
const imageID = "ami-00000000000000000"

func newReservation() string { return "r-0" + randomHex(8) }

// reservationXML is what one RunInstances launched.
type reservationXML struct {
	ID        string        `xml:"reservationId"`
	Owner     string        `xml:"ownerId"`
	Instances []instanceXML `xml:"instancesSet>item"`
}

type instanceXML struct {
	ID                 string     `xml:"instanceId"`
	ImageID            string     `xml:"imageId"`
	State              stateXML   `xml:"instanceState"`
	Reason             string     `xml:"reason"`
	Type               string     `xml:"instanceType"`
	LaunchTime         string     `xml:"launchTime"`
	AvailabilityZone   string     `xml:"placement>availabilityZone"`
	Tenancy            string     `xml:"placement>tenancy"`
	Monitoring         string     `xml:"monitoring>state"`
	PrivateIP          string     `xml:"privateIpAddress,omitempty"`
	StateReason        *reasonXML `xml:"stateReason"`
	Architecture       string     `xml:"architecture"`
	RootDeviceType     string     `xml:"rootDeviceType"`
	RootDeviceName     string     `xml:"rootDeviceName"`
	VirtualizationType string     `xml:"virtualizationType"`
	Lifecycle          string     `xml:"instanceLifecycle,omitempty"`
	SpotRequestID      string     `xml:"spotInstanceRequestId,omitempty"`
	Tags               []tag      `xml:"tagSet>item"`
}

type reasonXML struct {
	Code    string `xml:"code"`
	Message string `xml:"message"`
}

func (c *Cloud) ec2DescribeInstances(f form) (ec2Answer, error) {
	if err := f.dryRun(); err != nil {
		return nil, err
	}
	size, err := readPageSize(f.get("MaxResults"))
	if err != nil {
		return nil, err
	}
	found, next, err := c.describeInstances(f.list("InstanceId"), f.filters(), size, f.get("NextToken"))
	if err != nil {
		return nil, err
	}
	out := &describeAnswer{NextToken: next}
	at := map[string]int{} // reservation id → index
	for _, s := range found {
		i, known := at[s.reservation]
		if !known {
			i = len(out.Reservations)
			at[s.reservation] = i
			out.Reservations = append(out.Reservations, reservationXML{ID: s.reservation, Owner: c.opts.Account})
		}
		out.Reservations[i].Instances = append(out.Reservations[i].Instances, show(s))
	}
	return out, nil
}

// ec2RunInstances launches; of the many parameters it takes those that a gate could care about.
func (c *Cloud) ec2RunInstances(f form) (ec2Answer, error) {
	if f.get("ImageId") == "" {
		return nil, errMissing("ImageId")
	}
	least, err1 := strconv.Atoi(f.get("MinCount"))
	most, err2 := strconv.Atoi(f.get("MaxCount"))
	switch {
	case err1 != nil || err2 != nil:
		return nil, errMissing("MinCount and MaxCount")
	case least < 1 || most < least || least > maxLaunch:
		return nil, refuse("InvalidParameterValue", "MinCount %d and MaxCount %d: want 1 ≤ MinCount ≤ MaxCount, and MinCount ≤ %d here", least, most, maxLaunch)
	}
	want := Instance{
		Type:             f.get("InstanceType"),
		AvailabilityZone: f.get("Placement.AvailabilityZone"),
		StopProtected:    f.get("DisableApiStop") == "true",
		Tags:             map[string]string{},
	}
	if f.get("InstanceMarketOptions.MarketType") == "spot" {
		want.Lifecycle = "spot"
		// one-time is what EC2 takes when nothing is said
		want.SpotOneTime = f.get("InstanceMarketOptions.SpotOptions.SpotInstanceType") != "persistent"
	}
	for _, t := range f.launchTags() {
		if err := checkTag(t); err != nil {
			return nil, err
		}
		want.Tags[t.Key] = t.Value
	}
	template := &machine{Instance: want}
	if err := template.hasRoom(nil); err != nil {
		return nil, err
	}
	if want.StopProtected {
		if err := template.canProtect(); err != nil {
			return nil, err
		}
	}
	if err := f.dryRun(); err != nil {
		return nil, err
	}
	out := &runAnswer{reservationXML: reservationXML{ID: newReservation(), Owner: c.opts.Account}}
	for range min(most, maxLaunch) {
		out.Instances = append(out.Instances, show(seen{Instance: c.launch(want, out.ID)}))
	}
	return out, nil
}

// launchTags are the tags that a RunInstances puts on its instances; volumes and interfaces aren't here to be tagged.
func (f form) launchTags() []tag {
	var tags []tag
	for _, prefix := range f.members("TagSpecification") {
		if f.get(prefix+".ResourceType") == "instance" {
			tags = append(tags, f.tags(prefix+".Tag")...)
		}
	}
	return tags
}

// show writes an instance as EC2 does.
func show(s seen) instanceXML {
	x := instanceXML{
		ID:                 s.ID,
		ImageID:            imageID,
		State:              stateOf(s.State),
		Reason:             s.reason,
		Type:               s.Type,
		LaunchTime:         s.LaunchTime.UTC().Format("2006-01-02T15:04:05.000Z"),
		AvailabilityZone:   s.AvailabilityZone,
		Tenancy:            "default",
		Monitoring:         "disabled",
		PrivateIP:          s.PrivateIP,
		Architecture:       "x86_64",
		RootDeviceType:     s.RootDeviceType,
		RootDeviceName:     "/dev/xvda",
		VirtualizationType: "hvm",
		Lifecycle:          s.Lifecycle,
	}
	if s.Lifecycle == "spot" {
		x.SpotRequestID = "sir-" + strings.TrimPrefix(s.ID, "i-")[:8]
	}
	if code, _, ok := strings.Cut(s.StateReason, ": "); ok {
		x.StateReason = &reasonXML{code, s.StateReason}
	}
	x.Tags = sortedTags(s.Tags)
	return x
}
