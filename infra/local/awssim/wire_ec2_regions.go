package awssim

import (
	"slices"
	"strings"
)

// regions are those that the account has, by name: its own, and two in which only Config answers.
func (c *Cloud) regions() []string {
	names := []string{c.opts.Region, "eu-west-1", globalRegion}
	slices.Sort(names)
	return slices.Compact(names)
}

// regionsAnswer has the regions that are enabled, which here are all.
// https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html
type regionsAnswer struct {
	answerID
	Regions []regionXML `xml:"regionInfo>item"`
}

type regionXML struct {
	Name     string `xml:"regionName"`
	Endpoint string `xml:"regionEndpoint"`
	OptIn    string `xml:"optInStatus"`
}

func (r regionXML) values(filterName string) ([]string, bool) {
	switch filterName {
	case "region-name":
		return []string{r.Name}, true
	case "endpoint":
		return []string{r.Endpoint}, true
	case "opt-in-status":
		return []string{r.OptIn}, true
	}
	return nil, false
}

func (c *Cloud) ec2DescribeRegions(f form) (ec2Answer, error) {
	if err := f.only("AllRegions", "DryRun", "Filter", "RegionName"); err != nil {
		return nil, err
	}
	if err := checkFilters(f.filters(), regionXML{}.values); err != nil {
		return nil, err
	}
	for _, name := range f.list("RegionName") {
		if !slices.Contains(c.regions(), name) {
			return nil, refuse("InvalidParameterValue", "Invalid region name: '%s'", name)
		}
	}
	if err := f.dryRun(); err != nil {
		return nil, err
	}
	out := &regionsAnswer{}
	asked := f.list("RegionName")
	for _, name := range c.regions() {
		region := regionXML{name, "ec2." + name + ".amazonaws.com", "opt-in-not-required"}
		if (len(asked) == 0 || slices.Contains(asked, name)) && matchAll(f.filters(), region.values) {
			out.Regions = append(out.Regions, region)
		}
	}
	return out, nil
}

// only refuses every parameter but these, and those of all calls.
func (f form) only(parameters ...string) error {
	for key := range f.values {
		name, _, _ := strings.Cut(key, ".")
		if name != "Action" && name != "Version" && !slices.Contains(parameters, name) {
			return refuse("UnknownParameter", "The parameter %s is not recognized", name)
		}
	}
	return nil
}
