"""Which addresses tools may reach."""

import pytest

from agents_core.addresses import AddressRefused, is_public, public_addresses


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.215.14", "2606:4700::1111", "64:ff9b::101:101"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "198.18.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "not an address", "",
    ],
)  # fmt: skip
def test_addresses_of_the_machine_and_its_network_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "2130706433", "0x7f.1", "[::1]", "no.such.name.invalid", "a" * 300, "\udcff"]
)
async def test_a_name_that_leads_nowhere_or_inside_is_refused(host: str) -> None:
    with pytest.raises(AddressRefused):
        await public_addresses(host, 80)


async def test_a_public_address_is_its_own() -> None:
    assert await public_addresses("1.1.1.1", 443) == ["1.1.1.1"]
