"""The ordinary English of incident reports, as stems: `ordinary_words` inflects them. One list for each kind of word.

What is in none of them counts as somebody's name. A word may stand in several lists (`run` is a verb and a noun).
"""

_SPELLING = (
    ("ise", "ize"),
    ("ising", "izing"),
    ("isation", "ization"),
    ("yse", "yze"),
    ("ysing", "yzing"),
    ("viour", "vior"),
    ("avour", "avor"),
    ("olour", "olor"),
    ("onour", "onor"),
    ("abour", "abor"),
    ("efence", "efense"),
    ("ffence", "ffense"),
)


def spelt(word: str) -> str:
    """One spelling for British and American English."""
    for british, american in _SPELLING:
        word = word.replace(british, american)
    return word


def words(text: str) -> frozenset[str]:
    """The words of a text, in one spelling."""
    return frozenset(map(spelt, text.split()))


FUNCTION = words("""
a an the this that these those it its itself they them their theirs themselves he him his she her hers who whom whose
which what whatever whoever someone somebody anyone anybody anything something everything everyone everybody nobody
nothing none no one ones other others another each every either neither both all any some many much more most few fewer
less least several enough such same own only just even also too very quite rather almost nearly about above below over
under up down in out on off of at by to for from with without within into onto through throughout during before after
since until till against among between behind beyond beside besides along alongside across around near next per via as
like unlike than then and or but nor so yet if unless because although though while whereas when whenever where
wherever why how whether is are was were be been being am isn wasn aren weren has have had having hasn haven hadn does
do did doing done doesn don didn can could cannot may might will would shall should must ought not never ever n't there
here now once twice again always often sometimes usually rarely seldom still already soon later earlier afterwards
afterward meanwhile therefore thus hence however moreover furthermore otherwise instead indeed perhaps maybe first
second third last finally together apart away back forth upon toward towards despite regardless amid plus minus versus
e.g i.e etc yes we our us you your i my me ours yours thereby whereby thereafter beforehand aside ago
""")
READ_ONLY = words("""
check look compare review find ask confirm list see read search verify inspect examine identify determine note
investigate correlate trace track count establish clarify assess analyze observe consult view locate validate
cross-check double-check gather collect preserve document record pinpoint monitor audit
""")
"""Verbs of a next step that change nothing on the host."""
ACTION = words("""
abandon abort accept access achieve acknowledge acquire activate adapt add adjust admit adopt advise affect aim alert
allocate allow alter amend announce answer append apply approve archive arrange arrive assign assist associate assume
attach attack attempt authenticate authorize avoid await ban base become begin believe belong bind block boot break
bring brute-force build bypass call cancel capture carry cause cease chain change charge choose claim classify clean
clear click clone close combine come commit compile complete compress compromise compute conceal conclude conduct
configure connect consider consist consume contact contain continue control convert copy correspond cover crash crawl
create cross cut damage deactivate deal decide declare decode decommission decrease decrypt define delay delete deliver
demand deny depend deploy derive describe destroy detach detect detonate develop differ disable disappear disclose
disconnect discover dismiss display disrupt distribute divert do download drain drop dump duplicate edit elevate email
emit employ empty enable encode encounter encrypt end enforce enter enumerate erase escalate escape evade evaluate
exceed exclude execute exempt exfiltrate exhaust exist exit expand expect expire explain exploit explore export expose
extend extract face fail fake fall favor fetch fill filter finish fit fix flag flood flush follow forbid force forge
forget forward free fulfil gain generate get give go grant grow guess handle hang happen harden harvest have hear help
hide hijack hit hold hope identify ignore impersonate implant imply import include increase indicate infect infer
influence inform inherit initiate inject insert install intend intercept interact interfere interrupt introduce invoke
involve isolate issue join jump justify keep kill know label lack land last launch lead leak learn leave let leverage
lie lift limit link listen load lock log lose lower maintain make manage manipulate mask masquerade match mean measure
mention mimic mine miss mitigate modify mount move mute name need notify obfuscate obscure obtain occur offer omit open
operate originate overflow overwrite own pack pad parse participate pass pause perform permit persist pipe pivot place
plan plant play point poison post prepare present prevent print probe proceed process produce prompt propagate protect
prove provide publish pull purge push put query quit quote raise ran rate reach react reappear reboot rebuild receive
recommend reconfigure reconnect recover redirect reduce refer reflect refuse register reinstall reject relate release
rely remain remove rename render repeat replace reply report represent request require reset resemble resolve respond
restart restore restrict result resume retain retrieve retry return reuse reveal reverse revert revoke rewrite rise
roll rotate run save say scan schedule scrape seek seem select send separate serve set settle shadow share show shut
sign silence simulate sit skip snapshot sniff sort spawn speak specify spend split spoof spray spread stage stand start
stay steal stem stop store stream strip submit succeed suffer suggest supply support suppress surround suspect suspend
switch sync take talk tamper target tell terminate test throttle tie time touch transfer transmit travel traverse treat
trigger truncate trust try tunnel turn type unblock understand uninstall unlink unlock unmask unmount update upgrade
upload use validate vary visit wait walk want warn weaken whitelist wipe work wrap write yield zip accumulate aggregate
approach arise attribute backdoor batch beacon behave circulate coincide compete concern corrupt degrade demonstrate
depict discard disguise encapsulate engage facilitate falsify fluctuate fork gather hint hook illustrate impact impair
instruct invite loop map merge mirror misuse overload override overwhelm perceive pick pose precede precipitate preload
recur relay rule sandbox seize signal sleep stall steer act align anchor annotate appear assemble assert balance
calculate compose construct desire embed emulate enclose enrich ensure estimate evict fire guarantee guard implement
impose interpret initialize iterate meet mend migrate mix negate ping poll propose pour remind replay rewind scroll
shorten shift spell squeeze subscribe substitute survive sustain think tick translate transform vote wake wonder wander
worry shape rest relax forgive recognize automate stop-gap stress strengthen subvert summarize tail timeout undermine
unpack utilize violate visualize
""")
"""Other verbs: what happened may be told with them; in the imperative they are orders."""
IRREGULAR = words("""
ran went gone came became began begun broke broken brought built bought caught chose chosen cut dealt drew drawn drove
driven fell fallen felt fed fled forgot forgotten forbade forbidden found froze frozen gave given got gotten grew grown
heard held hid hidden hit hung kept knew known laid led left lent let lost made meant met paid put quit read rose risen
said sat saw seen sent set shown shut slept sold sought spent split spoke spoken spread stolen stole stood stuck struck
swept swung taken took taught thought threw thrown told tore torn understood woke woken won wore worn wound wrote
written rewrote rewritten overwrote overwritten overrode overridden arose arisen shook shaken bound ground sank sunk
used tried
""")
"""Past tenses and participles without a rule."""
NOUNS = words("""
ability abnormality absence abuse account accuracy activity actor addition address adversary age agent aim alias
alternative amount analysis analyst anomaly answer appearance appliance application archive area argument array
artifact aspect assumption attacker attribute audit author authentication authority authorization authenticity
automation availability average backdoor bandwidth banner baseline basis batch behavior beginning binary bit body
botnet boundary branch breach browser brute buffer bug burst byte cache caller campaign candidate capability capacity
cardinality case category cause center certificate chance channel character checksum child children circumstance class
clause client clock clue cluster code collection column combination command comment communication company comparison
compiler completion component compression computer concept conclusion concurrency condition confidence confidentiality
configuration confirmation conjunction connection connectivity consequence console constraint consumption content
context contact conversation cookie core correlation count counter country credential crontab criterion cryptocurrency
cryptominer cron curiosity customer cycle cyber data date day deal decision defect defender defense definition
degradation delivery demand dependency deployment depth description descriptor design destination detail detection
developer development deviation device dictionary difference difficulty digest direction directory disclosure discovery
disk display distance distribution document documentation domain download downtime driver duration duty ease edge
effect effort element elevation employee encoding encryption end endpoint engineer entity entrance entropy entry
enumeration environment error escalation evasion event evidence evil exception exchange executable execution
exfiltration existence exit expectation experience expiry explanation exploit exploitation exposure expression
extension extent extraction fact factor failure family farm fashion fault feature field figure file filename filesystem
filter finding fingerprint firewall flag flaw flood flow folder follow-up foothold force form format foundation
fraction fragment framework frequency function functionality future gain gap gateway goal group guess handle handler
hardware hash harm header heap help hint history hop host hostname hour human idea identifier identity image impact
implementation impersonation implant importance impression inactivity incident increase indication indicator individual
infection influence information infrastructure ingress initiator injection input inode insider inspection installation
installer instance instant instruction integrity intelligence intent intention interaction interest interface internet
interpreter interruption interval intruder intrusion investigation investigator invocation issue item iteration job
journal kernel key keyboard kind knowledge label lack language latency layer leak legitimacy length level library life
likelihood limit line link list listener load loader location lock lockout log logger login logging logoff logon logout
look lookup loop loss machine magnitude maintenance maker malware management manager manipulation manner mapping margin
match means measure mechanism medium member membership memory message metadata metric migration minute misconfiguration
mismatch misuse mode model modification module moment month motive movement name nature need network night node noise
note notice number object objective occasion occurrence offender offset operation operator opportunity option order
origin outage outbreak outcome outlier output overflow overview owner ownership package packet page pair parameter
parent part participant partition party pass passphrase password patch path pattern payload peak peer people percent
percentage performance period perimeter permission persistence person personnel phase phishing picture piece pipe
pipeline pivot place plan platform player point policy pool population port portion position possibility post practice
precision predecessor presence pressure prevention prevalence principal principle privilege probability probe problem
procedure process processor product production profile program progress project promise prompt proof property
proportion protection protocol provenance provider proxy purpose quality quantity query question queue quota range
ransomware rate ratio reach reaction reader reason reboot receiver recipient reconnaissance record recovery recursion
reduction reference region registry relation relationship release relevance reliability remediation remote removal
replacement replay reply report repository representation reputation request requirement research reset resident
resolution resource response responder restart restoration restriction result retry return reuse review right rise risk
role rootkit rotation round route router routine row rule run runtime salt sample sandbox scale scan scanner scenario
schedule scheduler scheme scope score screen screenshot script search second secret section sector security segment
selection sender sense sensor sentence sequence series server service session set setting setup severity shape share
shell shift side sight sign signal signature significance similarity site situation size slice slot snapshot socket
software solution someone sort source space span spawn speed spike spoofing spray spraying spread stage stamp standard
start state statement station statistic status step storage store stream string structure stub style subject subnet
subprocess subset subsystem success successor sudo suffix suggestion suite sum summary supplier surface surge surprise
suspect suspicion swap switch symbol symptom syntax syscall system table tactic tag tail takeover tampering target task
team technician technique technology telemetry template tendency tenant term terminal termination text theft theme
theory thing thread threat threshold throughput tie time timeline timeout timer timestamp timing today token tool
toolkit top topic total trace track trade traffic trail transaction transfer transition transmission transport
traversal tree trend trial trigger trouble truth tunnel turn type unit unknown update upgrade upload usage use user
username utility utilization value variable variant variation vector vendor verification version victim view violation
virus visibility visitor volume vulnerability wait warning waste watch way weakness web webserver website week weekday
weekend weight whole window wish word work worker workflow workload workstation world worm writer year yesterday zone
administration administrator anonymity attachment augmentation bash brute-force command-line containment cpu curl dns
gid gpu html http https id ip kernel-level linux mac netcat os pid ppid sandboxing sdk sql ssh sshd ssl sudoers syslog
tcp tls tty udp uid unix url uri vpn wget acl api bios ci cli csv db ftp icmp json ldap nfs ntp oom pam php python perl
ram rdp rpc sftp scp sre siem soc smb smtp snmp ssd stdin stdout stderr tor utc vm vnc xml yaml iam aws io mitre att&ck
attack.mitre cve cwe poc rce lpe suid sgid setuid setgid systemd selinux apparmor auditd journald javascript powershell
ruby lua java kerberos sigma docker kubernetes containerd nginx apache openssh openssl github gitlab debian ubuntu
fedora windows microsoft google amazon tellwhy mebibyte gibibyte kib mib gib kb mb gb tb ms millisecond microsecond
hertz watt celsius fahrenheit degree utilisation workaround startup access attack attempt call change claim compromise
control copy crash damage delay dump escape export fetch import jump launch mention mount print write read absolute
acceptance acquisition act action alarm annotation app architecture assertion assignment assistant auth background
backoff bearer bot bottom box breakpoint bucket budget calculation cancellation canary cell char chunk cloud colon
comma compatibility composition config connector consistency construction contract contrast conversion cooldown
corruption cost coverage creation daemon database deadline declaration defence deletion detector dimension division
docs dot draft editor engine enrichment equality equivalent example excerpt eviction exec fallback feed feedback fence
float frame garbage gate gauge generator graph greeting growth guarantee guard guide habit hand head health heartbeat
hierarchy home house index indexing insertion integer integration interpretation keyword lag layout leaf letter
limitation literal localhost logic loopback machinery matter median method middle namespace newline notation
notification opening operand overhead paragraph phrase placeholder playbook plugin poll power prefix presentation
priority proposal race rank readiness redaction refusal regex repo rest retrieval revision rollover room root runbook
schema scroll self separator shutdown sibling sink slash sound spam spec specification square stack star stratum
subscription substitution supervisor suppression symlink tab temperature timeframe timespan title tolerance
transformation translation triage trick truncation tuple twin urgency validation verdict vote wall watchdog wave
webhook wheel whitespace width wildcard wire exfil c2 lolbin living-off-the-land webshell one-liner cleanup backlog
hypervisor firmware bootloader initramfs filehandle
""")
QUALITIES = words("""
able abnormal abrupt absent abusive acceptable accessible accidental accurate active actual additional adequate
administrative advanced adverse affected aggressive alike alive alone alternate ambiguous anomalous anonymous apparent
applicable appropriate approximate arbitrary asynchronous atypical authentic automatic available average aware bad bare
basic big binary blank blind brief broad broken busy capable careful causal central certain cheap chronological clear
client-side close coherent cold common comparable compatible complete complex comprehensive concrete concurrent
confident confidential consecutive consistent constant continuous conventional correct corrupt covert critical
cumulative current custom daily damaging dangerous dead deep default deliberate dense dependent destructive detailed
different difficult direct disruptive distinct distributed dormant double dual due dynamic early easy effective
efficient elevated empty encrypted entire equal erratic essential eventual evident exact excessive exclusive executable
expensive experimental explicit exploitable express extensive external extra extreme false familiar far fast fatal few
final fine finite firm fixed flat foreign formal former fraudulent free frequent fresh full functional further general
genuine global good gradual graphical great ground half hard harmful heavy hidden high historical hostile hot hourly
huge human idle illegal illegitimate immediate imminent impossible improper inactive inappropriate inbound incoming
incomplete inconsistent inconclusive incorrect independent indirect individual ineffective infrequent inherent initial
inner insecure instant insufficient intact intense intentional interactive interesting intermediate intermittent
internal invalid invisible irregular isolated joint key large late lateral latest latter leading left legal legacy
legitimate likely limited linear little live local logical long loose loud low main major malicious malformed manual
massive maximum meaningful medium mere minimal minimum minor missing mobile moderate modern modest monthly multiple
mutual narrow native natural near necessary negative new nightly noisy nominal non normal noteworthy notable novel
numerous obvious odd official offline old ongoing online open operational opportunistic opposite optional ordinary
original outbound outer outgoing outside overall parallel partial particular passive past peculiar pending periodic
permanent permissible persistent physical plain plausible popular positive possible potential powerful precise
premature present previous primary prior private privileged proactive probable problematic productive professional
prolonged proper public quick quiet random rapid rare raw ready real realistic reasonable recent recurrent redundant
regional regular relative relevant reliable reputable repetitive resident resilient responsible restrictive reverse
rich right rigorous risky robust rogue routine rudimentary safe scarce secondary secure selective sensitive separate
serial serious severe shallow sharp short silent similar simple simultaneous single slight slow small smooth soft sole
solid sophisticated special specific sporadic stable stale standard static stealthy steady straight straightforward
strange strict strong structural subsequent substantial successful sudden sufficient suitable superficial sure
surprising susceptible suspicious symbolic symmetric synchronous systematic tangible technical temporary tentative
thorough tight timely tiny topical total transient transparent true typical ultimate unable unclear uncommon unique
universal unlikely unknown unprivileged untrusted unusual upcoming upper urgent useful useless usual vague valid
valuable variable various vast verbose viable virtual visible volatile vulnerable weak weekly well whole wide
widespread worldwide worse worst writable wrong world-writable root-level kernel-level low-level high-level short-lived
long-lived long-running real-time so-called well-known built-in password-less passwordless according benign balanced
bidirectional compound conditional convenient dedicated desired deterministic faithful fallible generic identical
imaginary important inverse lone lowercase uppercase max min monotonic naive numeric numerical pure red sane scientific
significant spacious sparse standalone synthetic underlying unused using used worth wise zero-day day-to-day hands-on
publicly-known publicly downstream upstream
""")
MANNER = words("""
afterwards altogether anyway anywhere anew close deliberately directly elsewhere else especially everywhere exactly
forward further globally hard inside outside internally externally overnight possibly probably promptly quickly
remotely repeatedly respectively roughly somehow somewhat somewhere successfully suddenly today tomorrow tonight twice
thrice simply solely shortly jointly ahead better best aloud likewise nonetheless nevertheless approximately
exclusively accordingly
""")
NUMERALS = words("""
zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million billion dozen half quarter
fourth fifth sixth seventh eighth ninth tenth am pm gmt
""")
ALSO_NAMES = words("""
admin backup daemon guest mail monitoring news operator test service system root support staff student public private
office production prod staging dev main master web db www git deploy build builder demo docker kubernetes nginx apache
oracle postgres mysql redis jenkins ansible ftp sshd nobody_ sync games man bin sys proxy irc uucp lp gnats
alpha beta gamma web-server auditd journald systemd tomcat elastic grafana zabbix nagios puppet chef vagrant cron curl
wget netcat bash python perl php ruby java lua github gitlab google amazon windows debian ubuntu fedora
""")
"""Words that also name accounts, hosts and programs: in the place of a name they count as one."""
WHOSE = words("user users account accounts login logins logon session sessions identity credentials password")
"""What belongs to somebody: the word before it names whom."""
