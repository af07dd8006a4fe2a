"""Examples for the schema: one asset and one collection, as they are answered."""

EXAMPLE = "6f1e0d9c-7b1c-4f3f-9d9e-2f4f1f0a1b2c"
ASSET = {
    "asset": EXAMPLE,
    "collection": "harbour",
    "kind": "photo",
    "status": "ready",
    "error": "",
    "filename": "boat.jpg",
    "media_type": "image/jpeg",
    "size": 2_481_022,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "width": 4032,
    "height": 3024,
    "duration": None,
    "title": "A red boat",
    "caption": "In the morning, before the fog had gone.",
    "taken_at": "2024-05-01T06:12:09Z",
    "camera": "Leica M6",
    "place": "Lisbon",
    "latitude": 38.7,
    "longitude": -9.14,
    "exif": {"FNumber": 5.6, "ISOSpeedRatings": 200},
    "uploader": "bob",
    "added_at": "2026-05-31T09:00:00Z",
    "trashed": False,
    "tags": ["harbour", "boats"],
    "url": f"/assets/{EXAMPLE}/",
    "original": f"/api/v1/assets/{EXAMPLE}/original",
    "thumbnail": f"/api/v1/assets/{EXAMPLE}/thumbnail",
    "preview": f"/api/v1/assets/{EXAMPLE}/preview",
    "progress": None,
}
NEW_COLLECTION = {"name": "Harbour", "description": "Boats and what floats", "visibility": "members"}
COLLECTION = {
    **NEW_COLLECTION,
    "slug": "harbour",
    "owner": "bob",
    "created_at": "2026-05-31T08:00:00Z",
    "url": "/collections/harbour/",
    "may_upload": True,
    "may_curate": True,
}
