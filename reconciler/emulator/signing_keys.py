"""Public RSA keys for the built-in identity provider; their private halves are gone, nothing is signed."""

from __future__ import annotations

_MODULI = (
    (
        "lN2za60tmPWCMxRMThY7yhcrbRIzDHid2HOivI9Fq3hK4jVeKvLOU6bry2OaIvp_juQfZXtJz6Px8DlysqV8m9"
        "NKXNIIqOmmVlb6zgCXPfZueAG6_1xwe3-NQnGs3qCmnxCrPRI0PPqtnmlK8sIP0zU-f5-LljGAodTCjzYrnJLt"
        "6LEOAHqn0DarRsF-SoVyDaqjcgLc43ghOYJ7uYAkao4koR9MyYyQr1QgrUi0i0ytmJFJ69KVCbRyMk_JtK4BME"
        "ffvdZOkZCi3dnSsWjVRkjhX5UdAsqMyKUX5ytUC2xCdYYcXJHPPbXw8AVavcf2-Tj_biYciV3Cl7BCrrgVWw"
    ),
    (
        "nnskzGolpTBDne6-YrCV8twlqHIAtIX77b6FyyhdHo0LsK5iFFjwhVbvjOy2QfsUxTHJN8VWBiyh4fpGN33gMn"
        "KdmtCjEd4EVc4pkEir8LIJHL6LlQ8-y7fxtwjgz2rPzvN9C_2_xNCdMYxBKPKrhDBkUhhc4tvtCFy4uTzdnIIF"
        "4EiNXk8a6oY6RA4oo0wZwnilxxNjFgO2Y73DqGZ6De-PRvqp2sXv8k14txblWWUyd0255Bd6v_8DZV5uBwxa8Q"
        "adzOA2y7HwxP2XlvNiBR1Qi28jzG55oU1gQElDzh3P3w3nGIkVzvtrr-E4j8C17VQQCNgYs07Ae8hJWPTO1w"
    ),
)

KEYS: tuple[dict[str, str], ...] = tuple(
    {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": f"key-{number}", "n": modulus, "e": "AQAB"}
    for number, modulus in enumerate(_MODULI, start=1)
)
