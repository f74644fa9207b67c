"""The schema as numbered steps. A step that has landed is never edited: the next change is the next number."""

MIGRATIONS: tuple[str, ...] = (
    # 1: the first schema
    """
    CREATE TABLE checkpoints (
        source TEXT NOT NULL, path TEXT NOT NULL, identity TEXT NOT NULL,
        "offset" INTEGER NOT NULL, marker TEXT NOT NULL,
        PRIMARY KEY (source, path)
    ) WITHOUT ROWID;
    CREATE TABLE snapshots (
        step TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
        PRIMARY KEY (step, key)
    ) WITHOUT ROWID;
    CREATE TABLE incidents (
        id TEXT PRIMARY KEY, rule_id TEXT NOT NULL, severity INTEGER NOT NULL, status TEXT NOT NULL,
        opened_at REAL NOT NULL, last_at REAL NOT NULL, search TEXT NOT NULL,
        told INTEGER NOT NULL DEFAULT 0, remembered INTEGER NOT NULL DEFAULT 0, body BLOB NOT NULL
    );
    CREATE INDEX incidents_last ON incidents (last_at DESC, id);
    CREATE INDEX incidents_unremembered ON incidents (last_at) WHERE remembered < told;
    CREATE TABLE anomalies (
        id TEXT PRIMARY KEY, incident_id TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
        at REAL NOT NULL, body BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX anomalies_incident ON anomalies (incident_id, at);
    CREATE TABLE alerts (
        id TEXT NOT NULL, version INTEGER NOT NULL,
        incident_id TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
        severity INTEGER NOT NULL, made_at REAL NOT NULL, body BLOB NOT NULL,
        PRIMARY KEY (id, version)
    ) WITHOUT ROWID;
    CREATE INDEX alerts_incident ON alerts (incident_id, version);
    CREATE TABLE enrichments (
        alert_id TEXT PRIMARY KEY, incident_id TEXT NOT NULL REFERENCES incidents (id) ON DELETE CASCADE,
        severity INTEGER NOT NULL, made_at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0, draft BLOB NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX enrichments_incident ON enrichments (incident_id);
    CREATE TABLE deliveries (
        id INTEGER PRIMARY KEY, alert_id TEXT NOT NULL, version INTEGER NOT NULL, webhook TEXT NOT NULL,
        severity INTEGER NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
        due_at REAL NOT NULL, created_at REAL NOT NULL, ended_at REAL, detail TEXT NOT NULL DEFAULT '',
        UNIQUE (alert_id, version, webhook),
        FOREIGN KEY (alert_id, version) REFERENCES alerts (id, version) ON DELETE CASCADE
    );
    CREATE INDEX deliveries_due ON deliveries (webhook, due_at) WHERE state = 'due';
    """,
)
