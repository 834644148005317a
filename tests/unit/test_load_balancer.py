"""The address of the load balancer, and the domain that is made of it."""

from __future__ import annotations

import pytest

from components.knative.load_balancer import EntranceError, address_of, domain_of


@pytest.mark.parametrize(
    ("ingress", "address"),
    [({"ip": "10.0.0.7"}, "10.0.0.7"), ({"hostname": "lb.test"}, "lb.test"), ({"ip": "", "hostname": "l"}, "l")],
)
def test_the_address_is_an_ip_address_or_a_host_name(ingress: dict[str, str], address: str) -> None:
    assert address_of({"loadBalancer": {"ingress": [ingress, {"ip": "10.9.9.9"}]}}) == address


@pytest.mark.parametrize(
    ("address", "domain"),
    [("203.0.113.7", "203.0.113.7.sslip.io"), ("2001:db8::7", "2001-db8--7.sslip.io")],
)
def test_the_domain_holds_the_ip_address(address: str, domain: str) -> None:
    assert domain_of(address) == domain, "the names lead to another machine"


def test_of_a_host_name_no_domain_can_be_made() -> None:
    with pytest.raises(EntranceError) as raised:
        domain_of("lb.example.test")
    assert "lb.example.test" in str(raised.value), "the person does not know where the domain has to lead"
    assert "pulumi config set --path 'knative-releases:knative.domain'" in str(raised.value), "no way out"
