import msgspec

from daemon.state.rows import alert_of, incident_of, pack
from tests.doubles.values import an_alert, an_event, an_incident


def test_values_survive_the_store_exactly() -> None:
    event = an_event(
        fields={
            "n": 1,
            "f": 1.5,
            "b": True,
            "none": None,
            "many": ("a", "b"),
            "odd": "\x00\udcff".encode("utf-8", "replace").decode(),
        }
    )
    incident = msgspec.structs.replace(
        an_incident(), anomalies=(msgspec.structs.replace(an_incident().anomalies[0], events=(event,)),)
    )

    assert incident_of(pack(incident)) == incident
    assert alert_of(pack(an_alert())) == an_alert()
