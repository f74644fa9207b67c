"""Whether a sentence tells the reader that there is nothing to do. That is an analyst's to say.

By words that calm, by denying harm, by people that no log knows; and by grammar: of "this" and of the alert only what
the evidence can show may be said, because log text can word its reassurance in any way.
"""

import re

from daemon.enrichment.ordinary_words import ordinary, past
from daemon.enrichment.sentence_grammar import clauses

_HARM = (
    r"harm\w*|danger\w*|issues?|problems?|bad|wrong|risks?|risky|threat\w*|malicious|suspicious|suspicion|concern\w*"
    r"|worr\w+|needs?"
    r"|needed|action|act|acting|damage\w*|attack\w*|compromis\w+|incident|impact|unusual|serious|important|urgent"
    r"|critical|alarm\w*"
    r"|respond|response|look|investigat\w+|breach\w*|intru\w+|abuse\w*|anomal\w+|necessary|required|trouble|fault"
    r"|unexpected"
    r"|matter\w*|relevan\w+|significan\w+|sensitive|dangerous|sinister|hostile|consequences?|cause|reason|attention"
    r"|further|more to"
)
_NO = (
    r"not?|never|nothing|nobody|none|without|hardly|isn't|wasn't|aren't|weren't|doesn't|didn't|cannot|can't|zero"
    r"|lacks?|unlikely|rarely|free of"
)
_HARMLESS = re.compile(rf"\b(?:{_NO})\b(?:[\s,]+[\w'-]+){{0,4}}?[\s,]+(?:{_HARM})\b")
_UNKNOWN = re.compile(
    r"\bno (?:evidence|record|event|data|log\w*) (?:\w+ )?(?:shows?|says|tells|explains|names|indicates)\b"
    r"|\bno (?:legitimate|valid|known|good|obvious|plausible|business|technical) (?:reason|explanation|cause|purpose)\b"
    r"|\b(?:not|n't|nothing|none|no one|nobody) (?:\w+ ){0,6}?(?:shows?|says?|tells?|explains?|names?|states?"
    r"|reveals?|indicates?|known|clear"
    r"|visible|recorded|shown|prove[sn]?|contain|enough|mentions?|legitimate|only|match\w*|usual\w*|normal\w*"
    r"|common\w*|seen|typical\w*|expected)\b"
)
_SUBJECT = (
    r"(?:this|that|it|these|those|they|all(?: of (?:this|it|them))?|everything|the (?:alert|alarm|incident|case"
    r"|activit(?:y|ies)|behavior"
    r"|behaviour|events?|findings?|detection|situation|anomal(?:y|ies)|matter|thing|system|actions?|change|changes"
    r"|whole thing))"
    r"(?: (?:alert|alarm|incident|activity|behaviou?r|event|finding|case|pattern|anomaly|sequence|command|login))?"
)
_COPULA = (
    r"(?:(?:has|have|had|may|might|can|could|will|would|must) )?(?:is|was|are|were|be|been|looks?|seems?|appears?"
    r"|remains?|stays?)"
)
_SAID_OF_THIS = re.compile(rf"^(?:and |but |so |also )?{_SUBJECT} {_COPULA}(?: to be| like| being)? ([^,]+)")
_SKIP = re.compile(
    r"^(?:(?:an?|the|also|just|only|still|very|quite|rather|most|more|all|both|then|now|again|what|one|of|\w+ly)\s+)+"
)
_SUPPORTED = re.compile(
    r"\b(?:consistent|typical|characteristic|signs?|indicat\w+|patterns?|evidence|techniques?|tactics?|methods?"
    r"|ways?|steps?|attempts?|follow\w*"
    r"|preced\w+|unclear|unknown|unusual|suspicious|malicious|possible|likely|compromised|attack\w*|abuse\w*"
    r"|misuse\w*|intrusion|brute\W?force"
    r"|symptoms?|web ?shell|reverse shell|persistence|download\w*|exfiltrat\w+|escalat\w+|lateral|attacker\w*"
    r"|scan\w*|malware|not "
    r"(?:known|clear|shown|visible|recorded|certain|possible|consistent|typical|usual|normal|expected|seen|in|the"
    r"|enough))\b"
)
_META = re.compile(
    r"^(?:and |but |so |also )?(?:(?:the|this|that) (?:\w+ )?(?:alert|alarm|rule|detection|problem|signature|warning"
    r"|threshold)|it happens|such \w+ (?:are|is))\b"
    r"(?! (?:for|about|of|from|on|“|\"|'|`))(?! (?:was |is |were |has |has been |have been )?(?:also |first |then "
    r"|likely |probably )?(?:fired|triggered|matche[sd]|raised"
    r"|detect\w*|cover\w*|describ\w+|indicat\w+|show\w*|suggest\w*|concern\w*|name[sd]?|refer\w*|start\w*|caused by"
    r"|about|based|look\w*|report\w*|count\w*"
    r"|known|unknown|consistent|likely|may|might|could|points?)\b)"
)
"""Of the alert itself it is said why it came, not what it is worth."""
_ENDED = (
    r"resolved|closed|handled|fixed|solved|mitigated|finished|over|done|settled|approved|expected|planned|intended"
    r"|allowed|permitted"
    r"|accepted|scheduled|tested|explained|skipped|acknowledged|ignored|controlled|supervised|agreed|authorized"
    r"|authorised|cleared|vetted"
)
_OWN = (
    r"admin\w*|sysadmin\w*|operators?|owners?|maintainers?|colleagues?|it|sre|soc|devops|on-?call|monitoring"
    r"|backups?|deploy\w*|maintenance"
    r"|scheduler|developers?|engineers?|security|operations|ops|support|staff|vendor|installer|updater|cleanup"
    r"|automation|ansible|puppet"
)
_CALMING = re.compile(
    r"\b(?:normal|fine|okay|ok|unimportant|trivial|insignificant|negligible|inconsequential|resolved|reassur\w+"
    r"|relax|calm|noise|glitch|by design"
    r"|under control|taken care of|intended|permitted|acceptable|tolerable|no big deal|as (?:usual|always|ever"
    r"|it should)|in order|all good"
    r"|skip\w*|acknowledg\w+|minor|mundane|ordinary|unremarkable|business as)\b"
    r"|\b(?:risk|priority|impact|severity|importance|urgency|danger|threat|concern)s? (?:is|are|was|were|seems?"
    r"|remains?) (?:\w+ )?(?:low|minimal|small|limited"
    r"|none|over|gone|contained|zero|nil)\b"
    r"|\b(?:every|each) (?:\w+ )?(?:morning|day|night|evening|week|month|time)\b|\b(?:is|was|are"
    r"|were) (?:\w+ )?(?:allowed|entitled|supposed|meant|invited) to\b"
    r"|\bfalse (?:alert|detection|match|hit|trigger)s?\b|\b(?:fix|fixes|solve[sd]?|solution|repair\w*|cure[sd]?"
    r"|workaround|remed\w+)\b"
    r"|\b(?:healthy|unharmed|unaffected|intact)\b|\b(?:is|are|was|were|remains?|stays?) (?:\w+ )?(?:clean|secure"
    r"|stable|protected)\b"
    r"|\b(?:works?|went|goes|runs?|ran|ended) (?:\w+ )?well\b|\bchecks? (?:was |were |have |has )?passed\b"
    r"|\b(?:colleagues?|department|teams?|vendors?|onboarding|company|contractors?|engineers?|on-?call|staff"
    r"|tickets?|help ?desk|employees?|boss|manager)\b"
    r"|\b(?:go|goes|went) (?:home|away|back to)\b|\b(?:fixed|changed|handled|reset|rotated|blocked|dealt|looked"
    r"|reported|reviewed|checked)\b.*\balready\b"
    r"|\balready (?:been )?(?:fixed|changed|handled|reset|rotated|blocked|dealt|looked|reported|reviewed|checked"
    r"|taken)\b"
    rf"|\bbelongs? to (?:(?:the|an?|our) )?(?:\w+ )?(?:{_OWN})\b|\b(?:is|was|are|were) (?:an?|the|one of the"
    rf"|our) (?:\w+ )?(?:{_OWN})\b"
    r"|\b(?:happens|occurs|runs|is seen|is done|appears|repeats) (?:every|each|daily|nightly|weekly|regularly"
    r"|all the time|often)\b"
    r"|\b(?:low|minimal|little|small|zero) (?:\w+ )?(?:risk|priority|impact|severity|concern|importance|urgency"
    r"|danger|threat)\b"
    r"|\b(?:can|may|could|might|to) (?:safely )?be (?:resolved|closed|skipped|handled|left|filed|archived|accepted"
    r"|tolerated|forgotten|overlooked"
    r"|deferred|postponed|deprioriti[sz]ed|excluded|exempted|trusted|disregarded|discarded|removed from)\b"
    r"|\bpart of (?:(?:the|an?|our|their|its|his|her) )?(?:\w+ )?(?:daily|nightly|weekly|monthly|normal|regular"
    r"|usual|everyday|routine|standard|monitoring"
    r"|backup|deploy\w*|test\w*|maintenance|work|job|duties|update|upgrade|process|procedure|operations)\b"
    r"|\b(?:daily|nightly|weekly|monthly|regular|usual|everyday|standard|recurring|common) (?:\w+ )?(?:job|work|task"
    r"|duty|duties|procedure|practice|business"
    r"|maintenance|backup|operations?|administration)\b"
    r"|\b(?:is|was|were|are|only|just|merely|simply) (?:only |just |merely |simply )?an? (?:\w+ )?(?:test|drill"
    r"|exercise|demo|demonstration|mistake|typo|rehearsal)\b"
    rf"|\b(?:caused|done|made|triggered|performed|initiated|generated|produced|requested|carried out|run"
    rf"|started) by (?:(?:the|an?|our|your|its) )?(?:\w+ )?(?:{_OWN})"
    r"(?:\b(?! (?:account|user)))"
    rf"|\b(?:the|an?|our|your) (?:\w+ )?(?:{_OWN})(?: team| system| tool| job| staff)? (?:did|ran|made|performed"
    rf"|does|was|is|has|had|knows?|wanted|meant|tested)\b"
)


def reassuring(said: str) -> bool:
    """Whether a normalised text says that there is nothing to do: in words, by denying harm, or vaguely."""
    plain = _UNKNOWN.sub(" ", said)
    if _CALMING.search(
        re.sub(
            r"\b(?:not|than|ab|above|beyond|outside|isn't|wasn't)(?: \w+)?[ -](?:normal|ordinary|permitted|minor)\b",
            " ",
            said,
        )
    ):
        return True
    if _HARMLESS.search(plain) or re.search(r"\b(?:nobody|no one|nothing)\b(?!')", plain):
        return True
    return any(_vague(clause) or bool(_META.match(clause)) for clause in clauses(said))


def _vague(clause: str) -> bool:
    """`This is …` with a predicate that is neither a doubt nor a finding nor something that was done."""
    found = _SAID_OF_THIS.match(clause)
    if found is None:
        return False
    rest = _SKIP.sub("", found[1] + " ")
    if _SUPPORTED.search(found[1]):
        return False
    head = rest.split()[0].strip(".'\"") if rest.split() else ""
    return bool(re.fullmatch(_ENDED, head)) or not (
        past(head) or head.endswith("ing") or not head.isalpha() or not ordinary(head)
    )
