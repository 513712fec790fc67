package apiserver

// openAPIWords are the descriptions that a type's SwaggerDoc method lacks or cuts
// short, by model, or by model and field. They are the API's own words, from the
// comments in k8s.io/api and k8s.io/apimachinery.
func openAPIWords() map[string]string {
	return map[string]string{
		"io.k8s.apimachinery.pkg.api.resource.Quantity": "Quantity is a fixed-point representation of a number. It provides convenient marshaling/unmarshaling in JSON and YAML, in addition " +
			"to String() and AsInt64() accessors.\n\nThe serialization format is:\n\n``` <quantity>        ::= <signedNumber><suffix>\n\n\t(Note that " +
			"<suffix> may be empty, from the \"\" case in <decimalSI>.)\n\n<digit>           ::= 0 | 1 | ... | 9 <digits>          ::= <digit> | " +
			"<digit><digits> <number>          ::= <digits> | <digits>.<digits> | <digits>. | .<digits> <sign>            ::= \"+\" | \"-\" " +
			"<signedNumber>    ::= <number> | <sign><number> <suffix>          ::= <binarySI> | <decimalExponent> | <decimalSI> <binarySI>      " +
			"  ::= Ki | Mi | Gi | Ti | Pi | Ei\n\n\t(International System of units; See: " +
			"http://physics.nist.gov/cuu/Units/binary.html)\n\n<decimalSI>       ::= m | \"\" | k | M | G | T | P | E\n\n\t(Note that 1024 = 1Ki but " +
			"1000 = 1k; I didn't choose the capitalization.)\n\n<decimalExponent> ::= \"e\" <signedNumber> | \"E\" <signedNumber> ```\n\nNo matter " +
			"which of the three exponent forms is used, no quantity may represent a number greater than 2^63-1 in magnitude, nor may it have " +
			"more than 3 decimal places. Numbers larger or more precise will be capped or rounded up. (E.g.: 0.1m will rounded up to 1m.) This " +
			"may be extended in the future if we require larger or smaller quantities.\n\nWhen a Quantity is parsed from a string, it will " +
			"remember the type of suffix it had, and will use the same type again when it is serialized.\n\nBefore serializing, Quantity will be " +
			"put in \"canonical form\". This means that Exponent/suffix will be adjusted up or down (with a corresponding increase or decrease in " +
			"Mantissa) such that:\n\n- No precision is lost - No fractional digits will be emitted - The exponent (or suffix) is as large as " +
			"possible.\n\nThe sign will be omitted unless the number is negative.\n\nExamples:\n\n- 1.5 will be serialized as \"1500m\" - 1.5Gi will be " +
			"serialized as \"1536Mi\"\n\nNote that the quantity will NEVER be internally represented by a floating point number. That is the whole " +
			"point of this exercise.\n\nNon-canonical values will still parse as long as they are well formed, but will be re-emitted in their " +
			"canonical form. (So always use canonical form, or don't diff.)\n\nThis format is intended to make it difficult to use these numbers " +
			"without writing some sort of special handling code in the hopes that that will cause implementors to also use a fixed point " +
			"implementation.",
		"io.k8s.apimachinery.pkg.util.intstr.IntOrString": "IntOrString is a type that can hold an int32 or a string.  When used in JSON or YAML marshalling and unmarshalling, it produces or " +
			"consumes the inner type.  This allows you to have, for example, a JSON field that can accept a name or number.",
		"meta.v1.Time": "Time is a wrapper around time.Time which supports correct marshaling to YAML and JSON.  Wrappers are provided for many of the " +
			"factory methods that the time package offers.",
		"meta.v1.MicroTime":  "MicroTime is version of Time with microsecond level precision.",
		"meta.v1.WatchEvent": "Event represents a single event to a watched resource.",
		"core.v1.PodSpec setHostnameAsFQDN": "If true the pod's hostname will be configured as the pod's FQDN, rather than the leaf name (the default). In Linux containers, " +
			"this means setting the FQDN in the hostname field of the kernel (the nodename field of struct utsname). In Windows containers, " +
			"this means setting the registry value of hostname for the registry key " +
			"HKEY_LOCAL_MACHINE\\\\SYSTEM\\\\CurrentControlSet\\\\Services\\\\Tcpip\\\\Parameters to FQDN. If a pod does not have FQDN, this has no " +
			"effect. Default to false.",
	}
}

// openAPITails are the ends of descriptions that SwaggerDoc breaks off, at a line
// that looks like a drawing, by model and field.
func openAPITails() map[string]string {
	return map[string]string{
		"core.v1.TopologySpreadConstraint maxSkew": " | zone1 | zone2 | zone3 | |  P P  |  P P  |   P   | - if MaxSkew is 1, incoming pod can only be scheduled to " +
			"zone3 to become 2/2/2; scheduling it onto zone1(zone2) would make the ActualSkew(3-1) on zone1(zone2) violate " +
			"MaxSkew(1). - if MaxSkew is 2, incoming pod can be scheduled onto any zone. When " +
			"`whenUnsatisfiable=ScheduleAnyway`, it is used to give higher precedence to topologies that satisfy it. It's a " +
			"required field. Default value is 1 and 0 is not allowed.",
		"core.v1.TopologySpreadConstraint minDomains": " | zone1 | zone2 | zone3 | |  P P  |  P P  |  P P  | The number of domains is less than 5(MinDomains), so " +
			"\"global minimum\" is treated as 0. In this situation, new pod with the same labelSelector cannot be scheduled, " +
			"because computed skew will be 3(3 - 0) if new Pod is scheduled to any of the three zones, it will violate " +
			"MaxSkew.",
		"core.v1.TopologySpreadConstraint whenUnsatisfiable": " | zone1 | zone2 | zone3 | | P P P |   P   |   P   | If WhenUnsatisfiable is set to DoNotSchedule, incoming pod " +
			"can only be scheduled to zone2(zone3) to become 3/2/1(3/1/2) as ActualSkew(2-1) on zone2(zone3) satisfies " +
			"MaxSkew(1). In other words, the cluster can still be imbalanced, but scheduler won't make it *more* " +
			"imbalanced. It's a required field.",
		"core.v1.PodSecurityContext fsGroup": "----\n\nIf unset, the Kubelet will not modify the ownership and permissions of any volume. Note that this field " +
			"cannot be set when spec.os.name is windows.",
	}
}
